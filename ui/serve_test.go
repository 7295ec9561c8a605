package ui_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/ui"
)

// serving runs Serve on addr until the test ends; stop ends it before and gives
// what it returned.
func serving(t *testing.T, addr string, h http.Handler) (ln net.Listener, stop func() error) {
	t.Helper()
	ln, err := ui.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ui.Serve(ctx, ln, h) }()
	var result error
	stopped := false
	stop = func() error {
		if !stopped {
			cancel()
			result, stopped = <-done, true
		}
		return result
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	})
	return ln, stop
}

// talk writes raw bytes to the server and gives the first line of the answer.
func talk(t *testing.T, ln net.Listener, raw string) string {
	t.Helper()
	c, err := net.Dial(ln.Addr().Network(), ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, raw); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return strings.TrimSpace(line)
}

func TestServeOverTCP(t *testing.T) {
	s := newSite(t)
	ln, stop := serving(t, "127.0.0.1:0", ui.Handler(s.opts))
	tests := []struct{ raw, want string }{
		{"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK"},
		{"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 OK"},
		{"GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 421 Misdirected Request"},
		{"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"},
		{"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"},
		{"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 405 Method Not Allowed"},
		{"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 421 Misdirected Request"},
		{"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 30<<10) + "\r\n\r\n", "HTTP/1.1 431 Request Header Fields Too Large"},
		{"GET /\r\n\r\n", "HTTP/1.1 400 Bad Request"}, // as HTTP 0.9 asked
		{"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		{"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404 Not Found"},
		{"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		{"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 307 Temporary Redirect"},
		{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "HTTP/1.1 400 Bad Request: malformed Host header"},
		{"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", "HTTP/1.1 400 Bad Request"},
		{"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request: missing required Host header"},
		{"GET /jobs/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404 Not Found"},
	}
	for _, tt := range tests {
		got := talk(t, ln, tt.raw)
		if got != tt.want {
			t.Errorf("%.60q = %q, want %q", tt.raw, got, tt.want)
		}
	}

	idle, err := net.Dial("tcp", ln.Addr().String()) // connected, asks nothing
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	talk(t, ln, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := stop(); err != nil {
		t.Errorf("Serve = %v after its context ended, want nil", err)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("the address is still open after Serve returned")
	}
}

func TestServeEndsWhileAnAnswerStands(t *testing.T) {
	inside := make(chan struct{})
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(inside)
		<-r.Context().Done() // until the connection is cut
	})
	ln, stop := serving(t, "127.0.0.1:0", h)
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-inside
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Serve took %v to end, want a few seconds", took)
	}
}

func TestServeOverUnixSocket(t *testing.T) {
	s := newSite(t)
	path := filepath.Join(t.TempDir(), "page.sock")
	s.opts.Listen = "unix:" + path
	ln, stop := serving(t, s.opts.Listen, ui.Handler(s.opts))
	for raw, want := range map[string]string{
		"GET / HTTP/1.0\r\n\r\n":                            "HTTP/1.0 200 OK",
		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n":         "HTTP/1.1 200 OK",
		"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n":      "HTTP/1.1 421 Misdirected Request",
		"GET /readyz HTTP/1.1\r\nHost: any.example\r\n\r\n": "HTTP/1.1 200 OK",
	} {
		if got := talk(t, ln, raw); got != want {
			t.Errorf("%q = %q, want %q", raw, got, want)
		}
	}
	if ln, err := ui.Listen(s.opts.Listen); err == nil {
		ln.Close()
		t.Error("a second Listen took a socket that is answered")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestListenReplacesOnlyADeadSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false) // as if it had been killed
	dead.Close()
	ln, err := ui.Listen("unix:" + path)
	if err != nil {
		t.Fatalf("a dead socket is in the way: %v", err)
	}
	ln.Close()

	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ln, err := ui.Listen("unix:" + path); err == nil {
		ln.Close()
		t.Error("Listen took the place of a file")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("the file is now %q, %v", b, err)
	}
}

// What came into a socket's place meanwhile is not the listener's to remove.
func TestClosingLeavesWhatIsNotItsOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.sock")
	ln, err := ui.Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	successor, err := ui.Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if c, err := net.Dial("unix", path); err != nil {
		t.Errorf("the socket of who came later: %v", err)
	} else {
		c.Close()
	}
	successor.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("its own socket is still there: %v", err)
	}
}

func TestListenSaysWhatIsBusy(t *testing.T) {
	ln, err := ui.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := ui.Listen(ln.Addr().String()); err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("Listen on a busy address = %v, want an error that names it", err)
	}
}
