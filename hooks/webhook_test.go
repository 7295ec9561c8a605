package hooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jobrunner/hooks"
	"jobrunner/jobs"
)

func TestWebhook(t *testing.T) {
	s := newServer(t, nil)
	h := webhook(s.URL + "/jobs")
	h.Secret = "key"
	w := newWorld(t, h)
	w.start()
	j := w.run("train", 7)
	w.await("the call", s.reached(1))
	w.stop()

	calls := s.got()
	same(t, "calls", len(calls), 1)
	c := calls[0]
	j, err := w.queue.Detail(bg, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "body", string(c.body), string(want))
	same(t, "request", c.method+" "+c.path, "POST /jobs")
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write(c.body)
	for name, want := range map[string]string{
		"Content-Type":          "application/json",
		"User-Agent":            "jobrunner",
		"X-Jobrunner-Event":     "job",
		"X-Jobrunner-Signature": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		same(t, name, c.header.Get(name), want)
	}
	if n, err := strconv.Atoi(c.header.Get("X-Jobrunner-Delivery")); err != nil || n <= 0 {
		t.Errorf("X-Jobrunner-Delivery: got %q", c.header.Get("X-Jobrunner-Delivery"))
	}
}

// What the other side may get over is tried again, with the same content under
// the same number.
func TestWebhookTriesAgain(t *testing.T) {
	var n atomic.Int32
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			panic(http.ErrAbortHandler) // the connection breaks
		}
	})
	w := newWorld(t, webhook(s.URL))
	w.start()
	w.run("train", 0)
	w.await("the fourth call", s.reached(4))
	w.stop()
	calls := s.got()
	same(t, "calls", len(calls), 4)
	for _, c := range calls[1:] {
		same(t, "body", string(c.body), string(calls[0].body))
		same(t, "number", c.header.Get("X-Jobrunner-Delivery"), calls[0].header.Get("X-Jobrunner-Delivery"))
	}
	words, _ := w.noted()
	same(t, "noted", words, []string{})
}

// What fails for good is logged and noted, and the job stays as it is.
func TestWebhookFails(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answer  http.HandlerFunc
		retries int
		calls   int
		want    string
	}{
		{"refused", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }, 5, 1, "failed: status 403"},
		{"fails on", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }, 2, 3, "failed: status 502 (3 tries)"},
		{"no retries", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, 0, 1, "failed: the connection was closed without an answer"},
		{"see other", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, 5, 1,
			"failed: is redirected in a way that loses the content: set the new address"},
		{"other scheme", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://127.0.0.1:1/x", http.StatusTemporaryRedirect)
		}, 5, 1, "failed: is redirected from http to https: set the new address"},
		{"round and round", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusTemporaryRedirect) }, 5, 6,
			"failed: is redirected more than 5 times"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, tt.answer)
			h := webhook(s.URL)
			h.Retries = tt.retries
			w := newWorld(t, h)
			w.start()
			j := w.run("train", 3)
			w.await("the note", func() bool { words, _ := w.noted(); return len(words) > 0 })
			w.stop()
			same(t, "calls", len(s.got()), tt.calls)
			words, ids := w.noted()
			same(t, "note", words, []string{"hook " + strings.TrimPrefix(s.URL, "http://") + " (jobrunner.yaml:7) " + tt.want})
			same(t, "of", ids, []string{j.ID})
			if !strings.Contains(w.log.String(), `"level":"warn"`) {
				t.Errorf("there is no warning in the log:\n%s", w.log.String())
			}
			j, err := w.queue.Job(bg, j.ID)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "job", []any{j.State, j.Reason}, []any{jobs.Failed, "exit 3"})
			// It is over: the next daemon does not begin again.
			w.start()
			w.stop()
			same(t, "calls of the next daemon", len(s.got()), tt.calls)
		})
	}
}

// A redirection that keeps the content is followed.
func TestWebhookIsRedirected(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/new" {
			http.Redirect(w, r, "/new", http.StatusPermanentRedirect)
		}
	})
	w := newWorld(t, webhook(s.URL+"/old"))
	w.start()
	j := w.run("train", 0)
	w.await("the call", s.reached(2))
	w.stop()
	calls := s.got()
	same(t, "goes to", calls[1].method+" "+calls[1].path, "POST /new")
	id, state := calls[1].job(t)
	same(t, "tells of", []string{id, state}, []string{j.ID, "COMPLETED"})
}

// A server that asks for a pause gets it.
func TestRetryAfter(t *testing.T) {
	var n atomic.Int32
	var first, second atomic.Int64
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			first.Store(time.Now().UnixNano())
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		second.Store(time.Now().UnixNano())
	})
	w := newWorld(t, webhook(s.URL))
	w.start()
	w.run("train", 0)
	w.await("the second call", s.reached(2))
	w.stop()
	if wait := time.Duration(second.Load() - first.Load()); wait < time.Second {
		t.Errorf("tried again after %v, asked for 1 s", wait)
	}
}

func TestPauseAfter(t *testing.T) {
	for _, tt := range []struct {
		try   int
		asked time.Duration
		want  time.Duration
	}{
		{0, 0, time.Second}, {1, 0, 2 * time.Second}, {4, 0, 16 * time.Second}, {20, 0, 5 * time.Minute},
		{0, 40 * time.Second, 40 * time.Second}, {5, 2 * time.Second, 32 * time.Second}, {0, 24 * time.Hour, 5 * time.Minute},
	} {
		if got := hooks.PauseAfter(time.Second, tt.try, tt.asked); got != tt.want {
			t.Errorf("after try %d, asked for %v: got %v, want %v", tt.try, tt.asked, got, tt.want)
		}
	}
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "99999999999": 5 * time.Minute, "86400": 5 * time.Minute, "soon": 0,
		"Wed, 21 Oct 2015 07:28:00 GMT": 0,
	} {
		if got := hooks.RetryAfter(http.Header{"Retry-After": {text}}); got != want {
			t.Errorf("Retry-After: %s: got %v, want %v", text, got, want)
		}
	}
}

// The key may be in a file; without it nothing goes out.
func TestWebhookSecretFile(t *testing.T) {
	s := newServer(t, nil)
	h := webhook(s.URL)
	h.SecretFile = filepath.Join(t.TempDir(), "key")
	h.Retries = 1000
	w := newWorld(t, h)
	w.start()
	w.run("train", 0)
	w.await("a try without the key", func() bool { return strings.Contains(w.log.String(), "reading the secret") })
	same(t, "calls without the key", len(s.got()), 0)
	if err := os.WriteFile(h.SecretFile+".tmp", []byte("hidden\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(h.SecretFile+".tmp", h.SecretFile); err != nil {
		t.Fatal(err)
	}
	w.await("the call", s.reached(1))
	w.stop()
	c := s.got()[0]
	mac := hmac.New(sha256.New, []byte("hidden"))
	mac.Write(c.body)
	same(t, "signature", c.header.Get("X-Jobrunner-Signature"), "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

// Neither keys nor more of an address than its host are told to anybody.
func TestSecretsAreNotTold(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	gone := newServer(t, nil)
	address := gone.URL
	gone.Close()
	var list []jobs.Hook
	for _, url := range []string{s.URL, address} {
		h := webhook(strings.Replace(url, "http://", "http://user:hush1@", 1) + "/hush2?key=hush3")
		h.Secret, h.Retries = "hush4", 1
		list = append(list, h)
	}
	w := newWorld(t, list...)
	w.start()
	w.run("train", 0)
	w.await("the notes", func() bool { words, _ := w.noted(); return len(words) == 2 })
	w.stop()
	words, _ := w.noted()
	cursor, err := w.queue.Meta(bg, "hooks.cursor")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append(words, w.log.String(), cursor) {
		if strings.Contains(text, "hush") {
			t.Errorf("a secret is told: %s", text)
		}
	}
}
