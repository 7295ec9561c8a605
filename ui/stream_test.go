package ui_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"jobrunner/ui"
)

// subscriber is a client of a stream.
type subscriber struct {
	t    testing.TB
	resp *http.Response
	in   *bufio.Reader
	quit context.CancelFunc
}

// sent is what a client makes of a message: data's lines are joined by LF.
type sent struct{ id, name, data string }

// subscribe opens a stream; header holds pairs of name and value.
func subscribe(t testing.TB, url string, header ...string) *subscriber {
	t.Helper()
	ctx, quit := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(quit)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return &subscriber{t, resp, bufio.NewReader(resp.Body), quit}
}

// next gives the next message that has a name or data, false at the end, also if
// that is not a clean one. It reads as the HTML standard has it, but for what we never send.
func (s *subscriber) next() (sent, bool) {
	s.t.Helper()
	var m sent
	var data []string
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			return m, false
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n" && data != nil:
			m.data = strings.Join(data, "\n")
			return m, true
		case line == "\n", field == "", field == "retry":
		case field == "id":
			m.id = value
		case field == "event":
			m.name = value
		case field == "data":
			data = append(data, value)
		default:
			s.t.Errorf("a line of no meaning in the stream: %q", line)
		}
	}
}

func TestStreamFrames(t *testing.T) {
	s := newSite(t)
	texts := []sent{
		{"1", "job", `{"a":1}`},
		{"", "", "two\nlines"},
		{"", "x", ""},
		{"", "x", "\n"},
		{"2", "x", "\xff\x00 event: y\nid: 7\n\ndata:z\n"},
		{"", "x", "a\rb\r\nc\n\rd"},
	}
	ln, _ := serving(t, "127.0.0.1:0", ui.Streaming(s.opts, func(send func(id, name, data string) error, _ func(<-chan struct{}, <-chan time.Time) bool) {
		for _, m := range texts {
			if err := send(m.id, m.name, m.data); err != nil {
				t.Error(err)
			}
		}
	}))
	c := subscribe(t, "http://"+ln.Addr().String())
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Length": ""} {
		if got := c.resp.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if first, err := c.in.ReadString('\n'); err != nil || first != "retry: 2000\n" {
		t.Errorf("the stream begins with %q, %v", first, err)
	}
	lf := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	for _, want := range texts {
		want.data = lf.Replace(want.data)
		if got, ok := c.next(); !ok || got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got, ok := c.next(); ok {
		t.Errorf("after the last one came %q", got)
	}
}

// A stream ends when the server does, at once and in words, however it waits.
func TestStreamEndsWithTheServer(t *testing.T) {
	s := newSite(t)
	left := make(chan struct{})
	ln, stop := serving(t, "127.0.0.1:0", ui.Streaming(s.opts, func(send func(id, name, data string) error, wait func(<-chan struct{}, <-chan time.Time) bool) {
		defer close(left)
		_ = send("1", "job", "{}")
		if wait(nil, nil) {
			t.Error("waiting for nothing came to something")
		}
	}))
	c := subscribe(t, "http://"+ln.Addr().String())
	c.next()
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	<-left
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the server took %v to end: it waited for the stream", took)
	}
	if got, ok := c.next(); !ok || got.name != "bye" {
		t.Errorf("at the end came %q, want bye", got)
	}
	if got, ok := c.next(); ok {
		t.Errorf("after bye came %q", got)
	}
}

func TestStreamEndsWithItsClient(t *testing.T) {
	s := newSite(t)
	left := make(chan struct{})
	ln, _ := serving(t, "127.0.0.1:0", ui.Streaming(s.opts, func(send func(id, name, data string) error, wait func(<-chan struct{}, <-chan time.Time) bool) {
		defer close(left)
		_ = send("1", "job", "{}")
		for wait(nil, nil) {
		}
	}))
	c := subscribe(t, "http://"+ln.Addr().String())
	c.next()
	c.quit()
	<-left
}

// A client that reads may wait for longer than one that does not read, also with
// HTTP/2, where a deadline ends a stream though there is nothing to send.
func TestStreamStandsWhileNothingComes(t *testing.T) {
	const patience = 50 * time.Millisecond
	s := newSite(t)
	server := httptest.NewUnstartedServer(ui.StreamingFor(patience, s.opts, func(send func(id, name, data string) error, wait func(<-chan struct{}, <-chan time.Time) bool) {
		for send("1", "job", "{}") == nil && wait(nil, time.After(4*patience)) {
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	ctx, quit := context.WithTimeout(context.Background(), time.Minute)
	defer quit()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(r)
	if err != nil || resp.ProtoMajor != 2 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	c := &subscriber{t, resp, bufio.NewReader(resp.Body), quit}
	for n := range 3 {
		if got, ok := c.next(); !ok || got.name != "job" {
			t.Fatalf("message %d: %q, %v", n, got, ok)
		}
	}
}

// One that does not read is let go.
func TestStreamEndsWhenNobodyReads(t *testing.T) {
	s := newSite(t)
	left := make(chan error)
	ln, _ := serving(t, "127.0.0.1:0", ui.StreamingFor(50*time.Millisecond, s.opts, func(send func(id, name, data string) error, _ func(<-chan struct{}, <-chan time.Time) bool) {
		for {
			if err := send("", "x", strings.Repeat("x", 1<<16)); err != nil {
				left <- err
				return
			}
		}
	}))
	subscribe(t, "http://"+ln.Addr().String())
	if err := <-left; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
}

func TestStreamToHeadIsItsHeaders(t *testing.T) {
	s := newSite(t)
	h := ui.Streaming(s.opts, func(func(id, name, data string) error, func(<-chan struct{}, <-chan time.Time) bool) {
		t.Error("HEAD began a stream")
	})
	if got := ask(t, h, http.MethodHead, "/"); got.code != 200 || got.header.Get("Content-Type") != "text/event-stream" || got.body != "" {
		t.Errorf("HEAD = %d %q %q", got.code, got.header.Get("Content-Type"), got.body)
	}
}

// Each address has its share of the streams, and gets it back.
func TestStreamsAreBounded(t *testing.T) {
	s := newSite(t)
	ln, _ := serving(t, "127.0.0.1:0", ui.Streaming(s.opts, func(send func(id, name, data string) error, wait func(<-chan struct{}, <-chan time.Time) bool) {
		_ = send("1", "job", "{}")
		for wait(nil, nil) {
		}
	}))
	url := "http://" + ln.Addr().String()
	var all []*subscriber
	for range ui.MostStreamsEach {
		c := subscribe(t, url)
		if _, ok := c.next(); !ok {
			t.Fatalf("stream %d was refused", len(all))
		}
		all = append(all, c)
	}
	c := subscribe(t, url)
	words, _ := io.ReadAll(c.resp.Body)
	if c.resp.StatusCode != 503 || c.resp.Header.Get("Retry-After") == "" || !strings.Contains(string(words), "8 streams to your address") {
		t.Errorf("one more = %d, Retry-After %q, %q", c.resp.StatusCode, c.resp.Header.Get("Retry-After"), words)
	}
	if c.resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("the refusal is %s", c.resp.Header.Get("Content-Type"))
	}
	all[0].quit()
	for { // its end is noticed in a moment
		if c := subscribe(t, url); c.resp.StatusCode == 200 {
			break
		}
	}
}

func TestStreamsShareThePlaces(t *testing.T) {
	all := ui.NewStreams()
	for _, tt := range []struct {
		remote, words string
		n             int
	}{
		{"10.0.0.1:1", "to your address", 8},
		{"[::ffff:10.0.0.1]:2", "to your address", 0}, // the same one
		{"[2001:db8::1]:1", "to your address", 8},
		{"[2001:db8::2]:1", "to your address", 0}, // a neighbour
		{"[fe80::1%eth0]:1", "to your address", 8},
		{"@", "64 streams stand", 40}, // a unix socket
		{"10.0.0.2:1", "64 streams stand", 0},
	} {
		n, words := ui.EnterAll(all, tt.remote)
		if n != tt.n || !strings.Contains(words, tt.words) {
			t.Errorf("%s: %d streams, then %q; want %d, then %q", tt.remote, n, words, tt.n, tt.words)
		}
	}
}

// While there is no other place to be had, a newcomer gets that of a stream only
// if streams have more than half of them; a stream is never the longest answer.
func TestNewcomersAndStreams(t *testing.T) {
	const most = 4
	s := newSite(t)
	release := make(chan struct{})
	inside := make(chan struct{})
	streaming := ui.Streaming(s.opts, func(send func(id, name, data string) error, wait func(<-chan struct{}, <-chan time.Time) bool) {
		_ = send("1", "job", "{}")
		for wait(nil, nil) {
		}
	})
	dial := serveMost(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/stream":
			streaming.ServeHTTP(w, r)
		case "/slow":
			inside <- struct{}{}
			<-release
		}
		_, _ = io.WriteString(w, "done")
	}), most, time.Hour)
	stream := func() (net.Conn, *bufio.Reader) {
		c, in := dial("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
		waitFor(t, in, "event: job")
		return c, in
	}
	oldest, _ := stream()
	stream()
	var slow []*bufio.Reader
	for range 2 {
		_, in := dial("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
		<-inside
		slow = append(slow, in)
	}
	if _, in := dial("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n"); answerOf(t, in) == "done" {
		t.Error("a newcomer took a place though nobody was to give one")
	}
	release <- struct{}{}
	if got := answerOf(t, slow[0]); got != "done" {
		t.Fatal(got)
	}
	stream() // in the place of the one that is quiet now; streams have three of four
	_, in := dial("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n")
	if got := answerOf(t, in); got != "done" {
		t.Errorf("beside three streams of four a newcomer got %q", got)
	}
	if _, err := io.Copy(io.Discard, oldest); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the oldest stream still stands")
	}
	close(release)
	if got := answerOf(t, slow[1]); got != "done" {
		t.Errorf("a slow answer became %q", got)
	}
}

// waitFor reads until a line has that text.
func waitFor(t *testing.T, in *bufio.Reader, text string) {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("waiting for %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}
