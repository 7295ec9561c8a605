package ui_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"jobrunner/ui"
)

// Who is being answered is answered to the end, however many come meanwhile; of the
// others the one goes that has been quiet for longest.
func TestNewcomersTakeTheQuietestPlace(t *testing.T) {
	const most = 4
	inside, release := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(inside)
			<-release
		}
		_, _ = io.WriteString(w, "done")
	})
	ln, err := ui.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- ui.ServeMost(ctx, ln, h, most) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	dial := func(words string) (net.Conn, *bufio.Reader) {
		t.Helper()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		_, _ = io.WriteString(c, words)
		return c, bufio.NewReader(c)
	}
	ask := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	answer := func(in *bufio.Reader) string {
		t.Helper()
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return err.Error()
		}
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		return string(text)
	}
	_, busy := dial(ask("/slow"))
	<-inside
	var quiet []*bufio.Reader
	for range 10 * most {
		_, in := dial("GET / HT") // letter by letter
		quiet = append(quiet, in)
	}
	_, in := dial(ask("/quick"))
	if got := answer(in); got != "done" {
		t.Errorf("a newcomer got %q", got)
	}
	for i, in := range quiet[:len(quiet)-most] { // closed: all that came long ago
		if _, err := in.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("quiet connection %d still stands: %v", i, err)
		}
	}
	close(release)
	if got := answer(busy); got != "done" {
		t.Errorf("who was being answered got %q", got)
	}
}
