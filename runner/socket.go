package runner

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
)

const (
	socketFile = "supervisor.sock"
	// maxSocketPath is what fits everywhere: sun_path has 104 bytes on macOS
	// and 108 on Linux and Windows.
	maxSocketPath = 100
)

// errNoSocket says that there is no socket to connect to.
var errNoSocket = errors.New("no socket")

// socket is the supervisor's end that clients connect to.
type socket struct {
	net.Listener
	path  string      // where it can be found
	info  os.FileInfo // of path
	extra []string    // further files to remove with it, in this order
}

// listenSocket makes the socket of a state folder, in the place of one that a
// dead supervisor left. The caller has the folder's lock.
func listenSocket(stateDir string) (*socket, error) {
	path, extra, err := placeSocket(stateDir)
	if err != nil {
		return nil, err
	}
	s := &socket{path: path, extra: extra}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	bind, release, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer release()
	umaskMu.RLock()
	defer umaskMu.RUnlock()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: bind, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // the name it was bound by may be a passing one
	s.Listener = l
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	if s.info, err = os.Lstat(path); err != nil {
		l.Close()
		return nil, err
	}
	return s, nil
}

// found reports whether the socket still lies where clients look for it.
func (s *socket) found() bool {
	for _, path := range s.extra {
		if _, err := os.Lstat(path); err != nil {
			return false
		}
	}
	info, err := os.Lstat(s.path)
	return err == nil && os.SameFile(info, s.info)
}

// Close takes no more clients and removes the socket's files.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if s.found() {
		os.Remove(s.path)
		for _, path := range s.extra {
			os.Remove(path)
		}
	}
	return err
}

// abandon takes no more clients at a socket that cannot be found any more.
func (s *socket) abandon() { s.Listener.Close() }

// dialSocket connects to the supervisor of a state folder.
func dialSocket(ctx context.Context, stateDir string) (net.Conn, error) {
	stateDir, err := filepath.Abs(stateDir)
	if err != nil {
		return nil, err
	}
	path, err := findSocket(stateDir)
	if err != nil {
		return nil, err
	}
	bind, release, err := shortPath(path)
	if err != nil {
		return nil, err
	}
	defer release()
	d := net.Dialer{Timeout: helloTime}
	return d.DialContext(ctx, "unix", bind)
}
