package ui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	unixPrefix   = "unix:"
	shutdownTime = 3 * time.Second // for answers that are under way when the daemon ends
)

// Listen opens the address: "127.0.0.1:8080", or "unix:/path" for a socket. A
// socket that a killed daemon left behind is replaced, one that somebody still
// answers on is not. The socket's mode is the umask's: its folder decides who
// comes in.
func Listen(addr string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(addr, unixPrefix)
	if !isUnix {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("listening on %q: %w", addr, err)
		}
		return ln, nil
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	ln, err := listenSocket(path)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	return ln, nil
}

// socket is a listener that removes its socket when it is closed, and not what else
// may have come into its place.
type socket struct {
	net.Listener
	path string
	own  fs.FileInfo
	once sync.Once // the next file may get the number that its own had
}

func listenSocket(path string) (net.Listener, error) {
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	own, err := os.Lstat(path)
	if err != nil {
		ln.Close()
		return nil, err
	}
	return &socket{Listener: ln, path: path, own: own}, nil
}

func (s *socket) Close() error {
	s.once.Do(func() {
		if now, err := os.Lstat(s.path); err == nil && os.SameFile(now, s.own) {
			_ = os.Remove(s.path) // else who comes next finds that nobody answers on it
		}
	})
	return s.Listener.Close()
}

// removeStale removes a socket on which nobody answers. One that takes no connection
// just now, or none from us, is somebody's.
func removeStale(path string) error {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if fi.Mode().Type() != fs.ModeSocket {
		return errors.New("a file that is not a socket is in its place")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	var busy net.Error
	switch {
	case err == nil:
		c.Close()
		return errors.New("another program answers on it")
	case errors.As(err, &busy) && busy.Timeout():
		return errors.New("another program has it, and is too busy to answer")
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("whether another program answers on it cannot be told: %w", err)
	}
	return os.Remove(path)
}

// Serve answers on ln until ctx ends, ends streams, gives other answers under way
// a few seconds, and closes ln and every connection before it returns. It returns nil when ctx
// ended. What net/http has to say goes to the logger in ctx, if there is one.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	return serve(ctx, ln, h, newVisitors(mostVisitors()))
}

func serve(ctx context.Context, ln net.Listener, h http.Handler, all *visitors) error {
	srv := &http.Server{
		Handler:           all.answered(h),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      writeTimeout, // until the first write, which sets its own
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: answersEach},
		ErrorLog:          log.New(zerolog.Ctx(ctx), "", 0),

		DisableGeneralOptionsHandler: true, // "OPTIONS *" is 405 as well
	}
	srv.BaseContext = func(net.Listener) context.Context { return withClosing(ctx) }
	srv.ConnContext, srv.ConnState = all.come, all.note
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		srv.Close()
		return fmt.Errorf("serving the page on %q: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	all.closeSilent()
	if err := srv.Shutdown(bound); err != nil {
		srv.Close() // whoever is still reading is cut off
	}
	<-served
	return nil
}
