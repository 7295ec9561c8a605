package ui_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
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
	dial := serveMost(t, h, most, time.Hour)
	_, busy := dial("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-inside
	var quiet []*bufio.Reader
	for range 10 * most {
		_, in := dial("GET / HT") // letter by letter
		quiet = append(quiet, in)
	}
	_, in := dial("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := answerOf(t, in); got != "done" {
		t.Errorf("a newcomer got %q", got)
	}
	for i, in := range quiet[:len(quiet)-most] { // closed: all that came long ago
		if _, err := in.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Errorf("quiet connection %d still stands: %v", i, err)
		}
	}
	close(release)
	if got := answerOf(t, busy); got != "done" {
		t.Errorf("who was being answered got %q", got)
	}
}

// They who are being answered and do not come to an end keep nobody out either.
func TestNewcomersTakeTheLongestAnswer(t *testing.T) {
	const most = 4
	inside := make(chan struct{})
	dial := serveMost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "done")
		if r.URL.Path == "/slow" {
			inside <- struct{}{}
			<-r.Context().Done()
		}
	}), most, 0)
	var slow []net.Conn
	for range most {
		c, _ := dial("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
		<-inside
		slow = append(slow, c)
	}
	_, in := dial("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := answerOf(t, in); got != "done" {
		t.Errorf("a newcomer got %q", got)
	}
	if _, err := io.Copy(io.Discard, slow[0]); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the longest answer still stands")
	}
}

// One connection with HTTP/2 does not bring hundreds of answers, each of which may
// hold a log open.
func TestAnswersOfAConnectionAreBounded(t *testing.T) {
	plain, err := ui.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	sample := httptest.NewTLSServer(http.NotFoundHandler())
	sample.Close()
	ln := tls.NewListener(plain, &tls.Config{Certificates: sample.TLS.Certificates, NextProtos: []string{"h2"}})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- ui.Serve(ctx, ln, http.NotFoundHandler()) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	c, err := tls.Dial("tcp", ln.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// The preface, and settings of which there are none (RFC 9113, 3.4).
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(c, head); err != nil || head[3] != 4 {
		t.Fatalf("the first frame is %x, %v, want settings", head, err)
	}
	settings := make([]byte, int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(c, settings); err != nil {
		t.Fatal(err)
	}
	got := uint32(0)
	for one := range slices.Chunk(settings, 6) {
		if binary.BigEndian.Uint16(one) == 3 { // SETTINGS_MAX_CONCURRENT_STREAMS
			got = binary.BigEndian.Uint32(one[2:])
		}
	}
	if got != ui.AnswersEach {
		t.Errorf("%d answers at once, want %d", got, ui.AnswersEach)
	}
}

// serveMost serves h and returns what connects and says something.
func serveMost(t *testing.T, h http.Handler, most int, long time.Duration) func(words string) (net.Conn, *bufio.Reader) {
	t.Helper()
	ln, err := ui.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- ui.ServeMost(ctx, ln, h, most, long) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return func(words string) (net.Conn, *bufio.Reader) {
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
}

// answerOf reads an answer, or gives why there is none.
func answerOf(t *testing.T, in *bufio.Reader) string {
	t.Helper()
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		return err.Error()
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	return string(text)
}
