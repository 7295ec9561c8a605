package meter_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/meter"
)

// Each byte is read once: what was appended since the last look, and nothing
// while nothing was.
func TestReadsOnlyWhatIsAppended(t *testing.T) {
	w := newWorld(t)
	j := w.start("job", time.Minute, jobs.ProcessID{})
	w.print(j, "one\n")
	w.pass(time.Second)
	w.print(j, "two ")
	w.pass(10 * time.Second)
	w.print(j, "three\n")
	w.pass(10 * time.Second)
	w.pass(time.Hour)
	w.print(j, "four\n") // it was closed meanwhile
	w.pass(10 * time.Second)
	const want = "one\ntwo three\nfour\n"
	if e := w.ear(j); e.text.String() != want || e.skipped > 0 {
		t.Errorf("heard %q, and %d times that something is left out; want %q", e.text.String(), e.skipped, want)
	}
	if got := w.meter.Taken(); got != int64(len(want)) {
		t.Errorf("%d bytes were read, want %d", got, len(want))
	}
}

// Of a job that prints much only the end is read, at each look.
func TestReadsTheEndOfMuch(t *testing.T) {
	w := newWorld(t)
	j := w.start("job", time.Minute, jobs.ProcessID{})
	const gib = 1 << 30
	w.print(j, "first\n")
	if err := os.Truncate(filepath.Join(w.state, j.Log), gib); err != nil { // a hole: it takes no room
		t.Fatal(err)
	}
	w.print(j, "after 1 GiB\n")
	w.pass(time.Second)
	if got := w.meter.Taken(); got != meter.MostRead {
		t.Errorf("the first look reads %d bytes, want %d", got, meter.MostRead)
	}
	if err := os.Truncate(filepath.Join(w.state, j.Log), 2*gib); err != nil {
		t.Fatal(err)
	}
	w.print(j, "after 2 GiB\n")
	w.pass(3 * time.Second)
	e := w.ear(j)
	if got := w.meter.Taken(); got != 2*meter.MostRead || e.skipped != 2 {
		t.Errorf("two looks read %d bytes, and leave out something %d times; want %d and 2", got, e.skipped, 2*meter.MostRead)
	}
	if text := e.text.String(); !strings.HasSuffix(text, "after 2 GiB\n") || strings.Contains(text, "first") {
		t.Errorf("heard …%q", text[max(0, len(text)-30):])
	}
}

// A daemon that finds a job running does not read its output from the start.
func TestReadsTheEndAfterARestart(t *testing.T) {
	w := newWorld(t)
	j := w.start("job", time.Hour, jobs.ProcessID{})
	w.print(j, strings.Repeat("x", 10*meter.MostRead)+"\n42\n")
	w.next()
	w.pass(time.Second)
	if got := w.meter.Taken(); got != meter.MostRead {
		t.Errorf("%d bytes were read, want %d", got, meter.MostRead)
	}
	if r := w.reading(j); r == nil || r.Progress == nil || r.Progress.Text != "42" {
		t.Errorf("reading %+v, want progress 42", r)
	}
}

// A job may empty its own output, and print less or more than before.
func TestOutputThatIsEmptied(t *testing.T) {
	w := newWorld(t)
	j := w.start("job", time.Minute, jobs.ProcessID{})
	w.print(j, "before\n")
	w.pass(time.Second)
	if err := os.Truncate(filepath.Join(w.state, j.Log), 0); err != nil {
		t.Fatal(err)
	}
	w.print(j, "new\n")
	w.pass(10 * time.Second)
	if got := w.ear(j).text.String(); got != "before\nnew\n" {
		t.Errorf("heard %q", got)
	}
}

// Of an output that is bounded nothing is read from the hole in it.
func TestOutputThatIsCut(t *testing.T) {
	w := newWorld(t)
	j := w.start("job", time.Minute, jobs.ProcessID{})
	cut := jobs.NewCut(jobs.MinLog)
	w.print(j, strings.Repeat("h", int(cut.Head)))
	cut = cut.Grown(1 << 20)
	if err := os.Truncate(filepath.Join(w.state, j.Log), cut.End); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.state, jobs.CutName(j.ID, 1)), cut.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.print(j, "tail\n")
	w.pass(time.Second)
	w.print(j, "more\n")
	w.pass(10 * time.Second)
	got := w.ear(j).text.String()
	if strings.Contains(got, "\x00") || !strings.HasSuffix(got, "…]\ntail\nmore\n") {
		t.Errorf("heard %q", got)
	}
}

// However many jobs run, no more logs are open than may be, and all are read.
func TestOpenLogsAreBounded(t *testing.T) {
	w := newWorld(t)
	var all []*jobs.Job
	for n := range meter.MostOpen + 50 {
		all = append(all, w.start("job", time.Minute+time.Duration(n)*time.Second, jobs.ProcessID{}))
	}
	for range 3 {
		for _, j := range all {
			w.print(j, "x\n")
		}
		w.pass(3 * time.Second)
		if got := w.meter.Open(); got > meter.MostOpen {
			t.Errorf("%d logs are open, want %d at most", got, meter.MostOpen)
		}
	}
	for n, j := range all {
		if got := w.ear(j).text.String(); got != "x\nx\nx\n" {
			t.Errorf("job %d: heard %q", n, got)
		}
	}
	w.pass(time.Minute)
	if got := w.meter.Open(); got > 0 {
		t.Errorf("%d logs that do not grow are open", got)
	}
}

// The rest of an output is read when its attempt has ended, also if the next one
// has put it aside, and never another attempt's in its place.
func TestReadsTheRestOfAnAttempt(t *testing.T) {
	for _, c := range []struct {
		name        string
		quiet       time.Duration // before the end; after a while the log is not open any more
		gone, aside bool
		want        string
	}{
		{"open", 0, false, false, "first\nlast\n\n"},
		{"closed", time.Hour, false, false, "first\nlast\n\n"},
		{"open, put aside", 0, false, true, "first\nlast\n\n"},
		{"closed, put aside", time.Hour, false, true, "first\nlast\n\n"},
		{"closed, removed", time.Hour, true, true, "first\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			j := w.start("job", time.Minute, jobs.ProcessID{})
			w.print(j, "first\n")
			w.pass(time.Second + c.quiet)
			w.print(j, "last")
			w.print(j, "\n")
			own := filepath.Join(w.state, j.Log)
			w.end(j, jobs.Failed)
			if c.aside {
				if _, err := w.queue.Execute(bg, jobs.Command{Action: jobs.Retry, IDs: []string{j.ID}}); err != nil {
					t.Fatal(err)
				}
				err := os.Rename(own, strings.TrimSuffix(own, ".log")+".1.log")
				if c.gone {
					err = errors.Join(err, os.Remove(strings.TrimSuffix(own, ".log")+".1.log"))
				}
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				w.begin(j.ID, 2, time.Second, jobs.ProcessID{})
				w.print(j, "another\n")
			}
			w.pass(time.Second)
			if got := w.ear(j).text.String(); got != c.want {
				t.Errorf("heard %q, want %q", got, c.want)
			}
		})
	}
}

// The progress file is read when it was written, and nothing else in its place.
func TestProgressFile(t *testing.T) {
	w := newWorld(t)
	j := w.start("job", time.Minute, jobs.ProcessID{})
	path := jobs.ProgressPath(w.state, j.ID, 1, "")
	secret := filepath.Join(w.state, "secret")
	if err := errors.Join(os.WriteFile(secret, []byte("secret"), 0o600), os.Symlink(secret, path)); err != nil {
		t.Fatal(err)
	}
	w.pass(3 * time.Second)
	if got := w.ear(j).file; got != "" {
		t.Errorf("read %q through a link", got)
	}
	if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte("0.25 half of a half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	w.pass(3 * time.Second)
	e := w.ear(j)
	if e.file != "0.25 half of a half" {
		t.Errorf("read %q", e.file)
	}
	e.file = ""
	w.pass(time.Minute)
	if e.file != "" {
		t.Error("it was read again although it stayed as it was")
	}
	if err := os.WriteFile(path, []byte("0.75"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.end(j, jobs.Completed)
	w.pass(time.Second)
	if e.file != "0.75" {
		t.Errorf("at the end read %q", e.file)
	}
}
