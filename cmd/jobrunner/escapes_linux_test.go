package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"jobrunner/jobs"
)

const escapesConfig = `listen: unix:DIR/page.sock
log: {level: debug, format: console}
settle: 10ms
settle_bad: 10ms
types:
  say: {command: [printf, '%s\n']}
`

// tags is what a page must not hold of what others wrote.
var tags = regexp.MustCompile(`(?i)<script>|<img|onerror=alert\(1\)>|href="javascript:`)

// allowed is what a job may do to the terminal on which its output is shown: set a
// colour, and write a line anew.
var allowed = strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "", "a\rb", "")

// What others wrote cannot steer a terminal or a page: not in arguments, names of
// files, labels, refused lines or output; and not in the daemon's log as people
// read it.
func TestEscapesAreHarmless(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.write("jobrunner.yaml", strings.ReplaceAll(escapesConfig, "DIR", w.dir))
	w.env = []string{"NO_COLOR=1"}
	w.start()
	id := strings.TrimSpace(w.run(append([]string{"add", "--wait", "say"}, hostile...)...))
	const red = "\x1b[31mred\x07\u009b31m\u202e<img src=x onerror=alert(1)>"
	w.rename("inbox/"+red+".yaml", "type: say\nargs: [x]\n")
	w.rename("inbox/"+red+".doc", "")
	w.rename("inbox/bad.yaml", "type: \"\\x1b[31mred\\u009b<script>alert(1)</script>\"\n")
	w.rename("inbox/badkey.yaml", "\"\\x1b]0;owned\\a<img src=x onerror=alert(1)>\": 1\ntype: say\n")
	w.appendLine("no-such \x1b[31m<script>alert(1)</script>")
	w.appendLine("say '" + strings.ReplaceAll(red, "\x07", "") + "'")
	w.appendLine("\x1b]0;owned\x07 x")
	w.until("all is answered", func() error {
		if c := w.counts(); c[jobs.Rejected] != 4 || c[jobs.Completed] != 3 {
			return fmt.Errorf("%v", c)
		}
		return nil
	})
	shown := map[string]string{
		"job_queue.txt": w.read("job_queue.txt"), "the daemon's log": w.read("serve.log"),
		"list": w.plainTerminal("list"), "show": w.plainTerminal("show", id), "logs": allowed.Replace(w.plainTerminal("logs", id)),
		"stats": w.plainTerminal("stats"), "list --state rejected": w.plainTerminal("list", "--state", "REJECTED"),
	}
	for _, name := range []string{"no-such", "--state"} {
		_, errs, _ := w.try("add", name+"\x1b[31m\u009b\u202e")
		shown["the fault of "+name] = errs
	}
	for where, text := range shown {
		if bad := steers(text); bad != "" {
			t.Errorf("%s holds %s", where, bad)
		}
	}
	client := socketClient(t, w.path("page.sock"))
	for _, path := range []string{"/", "/jobs", "/jobs?q=%3Cscript%3Ealert(1)%3C/script%3E%1b%5b31m", "/jobs/" + id, "/jobs?state=REJECTED"} {
		text := body(t, client, path)
		if bad := steers(text); bad != "" || tags.MatchString(text) {
			t.Errorf("page %s holds %s %q", path, bad, tags.FindString(text))
		}
	}
	if answer, err := client.Get("http://localhost/api/v1/jobs/" + id + "/log"); err != nil {
		t.Error(err)
	} else {
		answer.Body.Close()
		if h := answer.Header; h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("the log is sent as %v", h)
		}
	}
	foreignHost(t, client)
}

// steers names the first character of a text that a terminal or a page would not
// just show; "" if there is none.
func steers(text string) string {
	bidi := []rune{0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2028, 0x2029, 0x2066, 0x2067, 0x2068, 0x2069}
	for i, r := range text {
		plain := r == '\n' || r == '\t' || r == '\r' && strings.HasPrefix(text[i:], "\r\n") // a terminal's own line end
		if !plain && (unicode.IsControl(r) || slices.Contains(bidi, r)) {
			return fmt.Sprintf("%U in %q", r, text[max(0, i-30):min(len(text), i+30)])
		}
	}
	return ""
}

// foreignHost asks as a page of another site could that made its name point here.
func foreignHost(t *testing.T, client *http.Client) {
	t.Helper()
	for _, host := range []string{"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.nip.io"} {
		r, err := http.NewRequest(http.MethodGet, "http://localhost/api/v1/jobs", nil)
		must(t, err)
		r.Host = host
		answer, err := client.Do(r)
		must(t, err)
		answer.Body.Close()
		if answer.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("asked for as %s: %s, want 421", host, answer.Status)
		}
	}
}

// Whatever is put in the place of jobrunner.yaml or of a type's file while the
// daemon runs, it waits for nobody, says what is wrong, and what was in force stays.
func TestConfigurationIsSwapped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": "listen: \"\"\ntypes: {say: {command: [echo]}}\n", "types.d/more.yaml": "command: [echo, more]\n"})
	w.start()
	w.run("add", "--wait", "more")
	own := w.read("jobrunner.yaml")
	for name, put := range map[string]func(string) error{
		"pipe":   func(at string) error { return mkfifo(at) },
		"folder": func(at string) error { return os.Mkdir(at, 0o777) },
		"zeros":  func(at string) error { return os.Symlink("/dev/zero", at) },
		"loop":   func(at string) error { return os.Symlink(at, at) },
	} {
		for _, file := range []string{"jobrunner.yaml", "types.d/more.yaml"} {
			before := len(w.lines("serve.log"))
			must(t, os.Rename(w.path(file), w.path("kept")), put(w.path(file)))
			w.until(name+" is refused", func() error {
				if news := strings.Join(w.lines("serve.log")[before:], "\n"); !strings.Contains(news, "refused") {
					return errors.New(news)
				}
				return nil
			})
			w.rename("inbox/"+name+".yaml", "type: more\n")
			w.until("jobs go on", func() error { return w.stateOf("outbox/"+name+".yaml.json", "COMPLETED") })
			must(t, os.Remove(w.path(file)), os.Rename(w.path("kept"), w.path(file)), os.Remove(w.path("outbox/"+name+".yaml.json")))
		}
	}
	if got := w.read("jobrunner.yaml"); got != own {
		t.Errorf("jobrunner.yaml is %q", got)
	}
	w.run("add", "--wait", "say")
}

// plainTerminal is what a verb prints on a terminal without colours.
func (w *world) plainTerminal(args ...string) string {
	w.Helper()
	return strings.ReplaceAll(w.onTerminal([]string{"NO_COLOR=1"}, args...), "\r\n", "\n")
}
