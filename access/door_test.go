package access_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/access"
)

// house is a page whose file of passwords is at path.
type house struct {
	*testing.T
	path string
	door *access.Door
	log  lines
}

// lines is a log that many write and one reads.
type lines struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newHouse(t *testing.T, text string) *house {
	t.Helper()
	h := &house{T: t, path: filepath.Join(t.TempDir(), "passwords")}
	write(t, h.path, text)
	h.door = access.NewDoor(access.Options{PasswordFile: func() string { return h.path }, Log: zerolog.New(&h.log)})
	return h
}

// request asks with a name and password, without if the name is "".
func request(name, password, from string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = from
	if name != "" {
		r.SetBasicAuth(name, password)
	}
	return r
}

func (h *house) want(code int, name, password string) {
	h.Helper()
	if got, after := h.door.Enter(request(name, password, "192.0.2.1:4711")); got != code {
		h.Errorf("%s with %q: %d (after %v), want %d", name, password, got, after, code)
	}
}

func TestEnter(t *testing.T) {
	t.Parallel()
	h := newHouse(t, line(t, "ada", "secret")+line(t, "grace", "s:e:c"))
	h.want(401, "", "")
	h.want(0, "ada", "secret")
	h.want(0, "ada", "secret")
	h.want(0, "grace", "s:e:c")
	h.want(401, "ada", "wrong")
	h.want(401, "ada", "")
	h.want(401, "ada", "s:e:c")
	h.want(401, "Ada", "secret")
	h.want(401, "eve\x1b[31m", "secret")
	h.want(0, "ada", "secret")
	r := request("", "", "192.0.2.1:4711")
	r.Header.Set("Authorization", "Bearer secret")
	if code, _ := h.door.Enter(r); code != 401 {
		t.Errorf("with a token: %d", code)
	}
	if log := h.log.String(); strings.Count(log, "wrong password") != 5 || strings.Contains(log, "secret") || strings.Contains(log, `\u001b`) || strings.Contains(log, "\x1b") {
		t.Errorf("log:\n%s", log)
	}
	if p := h.door.Problem(); p != "" {
		t.Errorf("a problem: %s", p)
	}
	h.path = ""
	h.want(0, "", "")
}

// Who was let in once is let in again without the work that a password costs.
func TestEnterIsQuickAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, line(t, "ada", "secret"))
	h.want(0, "ada", "secret")
	giveBack := h.door.Busy()
	defer giveBack()
	h.want(0, "ada", "secret")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := request("ada", "other", "192.0.2.1:4711").WithContext(ctx)
	if code, after := h.door.Enter(r); code != 429 || after <= 0 {
		t.Errorf("another password while that is busy: %d, %v", code, after)
	}
}

// A changed file counts at once, for who was let in before too.
func TestFileChanges(t *testing.T) {
	t.Parallel()
	ada, grace := line(t, "ada", "secret"), line(t, "grace", "secret")
	h := newHouse(t, ada)
	h.want(0, "ada", "secret")
	change := func(text string) {
		t.Helper()
		temp := h.path + ".new"
		write(t, temp, text)
		if err := os.Rename(temp, h.path); err != nil {
			t.Fatal(err)
		}
		h.door.Look()
	}
	change(ada + grace)
	h.want(0, "grace", "secret")
	change(grace)
	h.want(401, "ada", "secret")
	change(line(t, "grace", "new"))
	h.want(401, "grace", "secret")
	h.want(0, "grace", "new")

	// One that is of no use leaves things as they were, and says so.
	change("grace:new\n")
	h.want(0, "grace", "new")
	h.want(401, "ada", "secret")
	want := `password_file: passwords:1: the password of "grace" is not hashed with bcrypt; jobrunner passwd USER writes such a line, and so does htpasswd -nB USER; what it held before stays in force`
	if got := h.door.Problem(); got != want {
		t.Errorf("problem %q, want %q", got, want)
	}
	if err := os.Remove(h.path); err != nil {
		t.Fatal(err)
	}
	h.door.Look()
	h.want(0, "grace", "new")
	if got := h.door.Problem(); !strings.Contains(got, "there is no such file") {
		t.Errorf("problem %q", got)
	}
	change("# nobody\n")
	h.want(401, "grace", "new")
	change(ada)
	h.want(0, "ada", "secret")
	if got := h.door.Problem(); got != "" {
		t.Errorf("problem %q", got)
	}
	if n := strings.Count(h.log.String(), "password_file is of no use"); n != 2 {
		t.Errorf("it was said %d times that the file is of no use, want 2:\n%s", n, &h.log)
	}
}

// Another file that cannot be read lets nobody in, not even those of the one before.
func TestNoFileLetsNobodyIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t, line(t, "ada", "secret"))
	h.want(0, "ada", "secret")
	h.path += ".other"
	h.want(401, "ada", "secret")
	if got := h.door.Problem(); !strings.HasSuffix(got, "; nobody is let in") {
		t.Errorf("problem %q", got)
	}
}

// Who guesses has to wait, and nobody else for that.
func TestGuessing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, line(t, "ada", "secret"))
	enter := func(password, from string) (int, time.Duration) { return h.door.Enter(request("ada", password, from)) }
	for n := range access.TriesAtOnce {
		if code, _ := enter(fmt.Sprint(n), "192.0.2.1:4711"); code != 401 {
			t.Fatalf("guess %d: %d, want 401", n, code)
		}
	}
	if code, after := enter("11", "192.0.2.1:4712"); code != 429 || after <= 0 || after > access.TriesEach {
		t.Errorf("one guess too many: %d, after %v", code, after)
	}
	if code, _ := enter("secret", "192.0.2.1:4711"); code != 429 {
		t.Errorf("the right one from there, not known yet: %d, want 429", code)
	}
	if code, _ := enter("secret", "192.0.2.2:1"); code != 0 {
		t.Errorf("from elsewhere: %d, want 0", code)
	}
	if code, _ := enter("secret", "192.0.2.1:4711"); code != 0 {
		t.Errorf("once it is known: %d, want 0", code)
	}
}

// However many guess at once, few wait, and one at a time is looked at.
func TestManyGuessAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, line(t, "ada", "secret"))
	h.want(0, "ada", "secret")
	giveBack := h.door.Busy()
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	const many = 4 * access.MostWaiting
	full := make(chan struct{}, many)
	for n := range many {
		wg.Go(func() {
			code, _ := h.door.Enter(request("ada", "wrong", fmt.Sprintf("192.0.2.%d:1", n)))
			mu.Lock()
			defer mu.Unlock()
			if codes[code]++; code == 429 {
				full <- struct{}{}
			}
		})
	}
	for range many - access.MostWaiting {
		<-full
	}
	if n := h.door.Waiting(); n != access.MostWaiting {
		t.Errorf("%d wait, want %d", n, access.MostWaiting)
	}
	h.want(0, "ada", "secret")
	giveBack()
	wg.Wait()
	if codes[401] != access.MostWaiting || codes[429] != many-access.MostWaiting {
		t.Errorf("codes %v", codes)
	}
}

// All tabs of a browser come at once when the daemon has started anew, with one
// password: it is looked at once, and counts as one try.
func TestManyTabsAtOnce(t *testing.T) {
	for _, tt := range []struct {
		password string
		code     int
	}{{"secret", 0}, {"wrong", 401}} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, line(t, "ada", "secret"))
			giveBack := h.door.Busy()
			const many = 2 * max(access.MostWaiting, access.TriesAtOnce)
			codes := make(chan int, many)
			for n := range many {
				go func() {
					code, _ := h.door.Enter(request("ada", tt.password, fmt.Sprintf("192.0.2.1:%d", n+1)))
					codes <- code
				}()
			}
			synctest.Wait()
			if n := h.door.Waiting(); n != 1 {
				t.Errorf("%d looks at %q wait, want 1", n, tt.password)
			}
			giveBack()
			for range many {
				if code := <-codes; code != tt.code {
					t.Errorf("with %q: %d, want %d", tt.password, code, tt.code)
				}
			}
		})
	}
}

func TestTries(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	tries := access.NewTries(func() time.Time { return now })
	for n := range access.TriesAtOnce {
		if wait := tries.Take("a"); wait != 0 {
			t.Fatalf("try %d has to wait %v", n, wait)
		}
	}
	if wait := tries.Take("a"); wait != access.TriesEach {
		t.Errorf("the next has to wait %v, want %v", wait, access.TriesEach)
	}
	if wait := tries.Take("b"); wait != 0 {
		t.Errorf("another place has to wait %v", wait)
	}
	now = now.Add(access.TriesEach)
	if first, second := tries.Take("a"), tries.Take("a"); first != 0 || second != access.TriesEach {
		t.Errorf("a while later: %v, then %v", first, second)
	}
	tries.GiveBack("a")
	if wait := tries.Take("a"); wait != 0 {
		t.Errorf("one was given back: %v", wait)
	}
	now = now.Add(time.Hour)
	for n := range 2 * access.MostPlaces {
		tries.Take(fmt.Sprint(n))
	}
	if n := tries.Places(); n > access.MostPlaces {
		t.Errorf("%d places are remembered, want %d at most", n, access.MostPlaces)
	}
}

func TestOrigin(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[2001:db8:1:2:3::4]:80": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80": "fe80::/64", "@": "", "": "", "/run/page.sock": "",
	} {
		if got := access.Origin(remote); got != want {
			t.Errorf("%q: %q, want %q", remote, got, want)
		}
	}
}
