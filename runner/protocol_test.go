//go:build unix

package runner

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A newer or a broken client gets words, and the next message is read.
func TestProtocolIsTolerant(t *testing.T) {
	h := newHouse(t)
	conn, err := dialSocket(t.Context(), h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for _, c := range []struct{ send, want string }{
		{`{"n":1,"op":"attempts"}`, "the first message must be hello"},
		{`{"n":2,"op":"hello","version":99,"oldest":99}`, "speaks protocol 4, this jobrunner needs 99 or later"},
		{`{"n":3,"op":"hello","version":99,"oldest":1,"colour":"green"}`, ""},
		{`no JSON at all`, "reading a message: invalid character"},
		{``, "reading a message: unexpected end"},
		{`{"n":4,"op":"paint"}`, `unknown operation "paint"`},
		{`{"n":5,"op":"start"}`, "a start without a job"},
		{`{"n":6,"op":"end","id":"x","attempt":1}`, "this attempt is not known"},
		{`{"n":7,"op":"ack","id":"` + strings.Repeat("x", 100_000) + `","attempt":1}`, ""},
	} {
		if _, err := fmt.Fprintln(conn, c.send); err != nil {
			t.Fatal(err)
		}
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("%.60s: %v", c.send, err)
		}
		var r reply
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.Error, c.want) || (c.want == "") != (r.Error == "") {
			t.Errorf("%.60s: got %q, want %q", c.send, r.Error, c.want)
		}
	}
}

// A start from a daemon of another age: it asks for less than this supervisor
// knows, or for more.
func TestStartFromAnotherAge(t *testing.T) {
	h := newHouse(t)
	conn, err := dialSocket(t.Context(), h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	fmt.Fprintln(conn, `{"n":1,"op":"hello","version":1}`)
	if _, err := in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for i, more := range []string{"", `,"colour":"green","limits":{"colour":"green","nice":null}`} {
		s := h.job()
		fmt.Fprintf(conn, `{"n":%d,"op":"start","spec":{"id":%q,"attempt":1,"argv":["/bin/true"],"env":[],"dir":%q,"log":%q,"umask":-1%s}}`+"\n",
			i+2, s.ID, s.Dir, s.Log, more)
		var r reply
		for r.Number != uint64(i+2) { // events come between
			line, err := in.ReadString('\n')
			if err == nil {
				err = json.Unmarshal([]byte(line), &r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if r.State == nil || r.State.Process.PID == 0 || r.State.Limits != "" {
			t.Errorf("%q: got %+v, want a process", more, r)
		}
	}
}

// A client that does not read holds nobody up.
func TestDeafClient(t *testing.T) {
	h := newHouse(t)
	conn, err := dialSocket(t.Context(), h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, `{"n":1,"op":"hello","version":1,"oldest":1}`)
	s := h.role("stay")
	s.Argv = append(s.Argv, strings.Repeat("x", 50_000))
	h.start(s)
	for range 200 {
		if _, err := fmt.Fprintln(conn, `{"n":2,"op":"attempts"}`); err != nil {
			t.Fatal(err)
		}
	}
	if got := how(h.end(s, limit)); got != "cancel SIGTERM" {
		t.Errorf("got %q", got)
	}
}
