package ui_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"jobrunner/ui"
)

// A socket whose owner does not come to take connections looks dead, and is not.
func TestListenLeavesABusySocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.sock")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil { // room for one that waits
		t.Fatal(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if ln, err := ui.Listen("unix:" + path); err == nil {
		ln.Close()
		t.Error("Listen took the place of a socket that somebody has")
	} else if !strings.Contains(err.Error(), "too busy to answer") {
		t.Error(err)
	}
	if _, err := net.Dial("unix", path); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("the socket answers with %v", err)
	}
}
