package runner

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// placeSocket says where the socket of a state folder is to be made.
func placeSocket(stateDir string) (path string, extra []string, err error) {
	return filepath.Join(stateDir, socketFile), nil, nil
}

// findSocket says where the socket of a state folder is.
func findSocket(stateDir string) (string, error) {
	return filepath.Join(stateDir, socketFile), nil
}

// shortPath gives a path that fits into a socket's address: a long one goes
// through a descriptor of its folder, until release is called.
func shortPath(path string) (short string, release func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	folder, name := filepath.Split(path)
	fd, err := unix.Open(folder, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", fd, name), func() { unix.Close(fd) }, nil
}
