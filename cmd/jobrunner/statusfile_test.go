//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

// countsIn reads a status.json.
func (w *world) countsIn(name string) (at time.Time, states map[string]int, err error) {
	text, err := os.ReadFile(w.path(name))
	if err != nil {
		return time.Time{}, nil, err
	}
	var got struct {
		Time   string
		States map[string]int
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return time.Time{}, nil, fmt.Errorf("%w in %q", err, text)
	}
	at, err = time.Parse(jobs.TimeFormat, got.Time)
	return at, got.States, err
}

// shows waits until a file has those words in it.
func (w *world) shows(name, words string) {
	w.Helper()
	w.until(name+" shows "+words, func() error {
		text, err := os.ReadFile(w.path(name))
		if err == nil && !strings.Contains(string(text), words) {
			err = fmt.Errorf("it shows\n%s", text)
		}
		return err
	})
}

// Without a page, what it would show is in files, which are kept current.
func TestStatusFiles(t *testing.T) {
	t.Parallel()
	const config = "listen: \"\"\ntypes: {say: {command: [echo]}}\n"
	w := newWorld(t, map[string]string{
		configFile:                            config + "status: {html: www/jobs.html, json: www/jobs.json}\n",
		"www/.jobs.html.0123456789abcdef.tmp": "left by a daemon that was killed",
		"www/.jobs.html.tmp":                  "of somebody else",
		"www/jobs.json":                       "{}",
	})
	if err := os.Chmod(w.path("www/jobs.json"), 0o640); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.shows("www/jobs.html", "Nothing runs.")
	first, states, err := w.countsIn("www/jobs.json")
	w.until("the counts are there", func() error {
		first, states, err = w.countsIn("www/jobs.json")
		return err
	})
	if len(states) != len(jobs.States) || states["COMPLETED"] != 0 {
		t.Errorf("states %v", states)
	}
	w.run("add", "--wait", "say", "shibboleth")
	w.shows("www/jobs.html", "shibboleth")
	w.until("the counts follow", func() error {
		at, states, err := w.countsIn("www/jobs.json")
		if err == nil && states["COMPLETED"] != 1 {
			err = fmt.Errorf("%v", states)
		}
		if err == nil && at.Sub(first) < statusGap-time.Second {
			t.Errorf("they were written %v after the time before", at.Sub(first))
		}
		return err
	})
	for name, want := range map[string]os.FileMode{"www/jobs.html": 0o644, "www/jobs.json": 0o640} {
		if info, err := os.Stat(w.path(name)); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	found, err := filepath.Glob(w.path("www/.*"))
	if err != nil || len(found) != 1 || filepath.Base(found[0]) != ".jobs.html.tmp" {
		t.Errorf("beside them: %q, %v", found, err)
	}

	// Another file counts at once, and none.
	w.write(configFile, config+"status: {html: www/other.html}\n")
	w.shows("www/other.html", "shibboleth")
	w.write(configFile, config)
	w.until("the change is in force", func() error {
		if n := strings.Count(w.read("serve.log"), "configuration loaded"); n != 2 {
			return fmt.Errorf("%d changes", n)
		}
		return nil
	})
	w.end(syscall.SIGTERM)
}

// A folder that is not there is named once, on the page too, and is no trouble to
// anybody; once it is there the file is written.
func TestStatusFileWithoutFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.write(configFile, "listen: unix:"+w.path("page.sock")+"\ntypes: {say: {command: [echo]}}\nstatus: {html: www/jobs.html, json: counts.json}\n")
	problem := "status.html: there is no folder " + w.path("www")
	if _, errs, code := w.try("check"); code != 1 || !strings.Contains(errs, problem) {
		t.Errorf("check: exit %d\n%s", code, errs)
	}
	w.start()
	client := socketClient(t, w.path("page.sock"))
	w.gets(client, "http://localhost/", "", "", 200, "status.html: writing "+w.path("www/jobs.html")+": no such file or directory")
	w.run("add", "--wait", "say", "first")
	w.until("the other one is written", func() error { _, _, err := w.countsIn("counts.json"); return err })
	w.run("add", "--wait", "say", "second")
	if err := os.Mkdir(w.path("www"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.shows("www/jobs.html", "second")
	log := w.read("serve.log")
	if n := strings.Count(log, "status file not written"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, log)
	}
	w.until("it is said that it works again", func() error {
		if !strings.Contains(w.read("serve.log"), "status file written again") {
			return errors.New("it is not")
		}
		return nil
	})
	w.gets(client, "http://localhost/", "", "", 200, "Nothing runs")
}
