package watcher

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// A crash leaves lines blanked that the database believes to stand. They are gone:
// lines of the same words that wait, or that came since, are other ones, also
// where a power cut has taken the jobs' own lines from the end of the file.
func TestBlankedLineIsGone(t *testing.T) {
	ours := regexp.MustCompile(`(?m)^ *[0-9a-f]{8}-.*\n`)
	for _, c := range []struct {
		name   string
		change func(text string) string
		came   int // lines of other programs
	}{
		{"killed", func(text string) string { return text }, 0},
		{"killed, and one came", func(text string) string { return text + "sleep 7\n" }, 1},
		{"killed, and moved", func(text string) string { return "# a note in front\n" + text }, 0},
		{"power cut", func(text string) string { return ours.ReplaceAllString(text, "") }, 0},
		{"power cut, and one came", func(text string) string { return ours.ReplaceAllString(text, "") + "sleep 7\n" }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.most.Store(2)
			n := 2 * maxRewrite / len(longLine) // so much that what is before it is to be blanked
			d.append(strings.Repeat("sleep 7\n", 5) + strings.Repeat(longLine, n))
			dieAt(t, d, "queue file: blanked")
			text := d.read()
			if len(ours.FindAllString(text, -1)) != 2 || strings.Count(text, "\nsleep 7") != 2 {
				t.Fatalf("the file begins with %.80q and ends with %.200q", text, text[len(text)-200:])
			}
			d.write(c.change(text))
			d.most.Store(0)
			q := d.prepared()
			defer q.Close()
			for range 10 {
				q.pass(t.Context())
			}
			if made, want := countAll(t, d.queue), 5+n+c.came; made != want {
				t.Errorf("%d jobs of %d lines", made, want)
			}
			if text := d.read(); strings.Contains(text, "\nsleep 7") || !oneLineEach(text) {
				t.Errorf("the file begins with %.300q", text)
			}
		})
	}
}

// A command that was carried out and blanked is given again after the crash.
func TestBlankedCommandIsGone(t *testing.T) {
	d := newDesk(t)
	d.most.Store(1)
	d.append("pause sleep\n" + strings.Repeat(longLine, 2*maxRewrite/len(longLine)))
	dieAt(t, d, "queue file: blanked")
	if text := d.read(); strings.Contains(text, "pause") {
		t.Fatalf("the file begins with %.80q", text)
	}
	if _, err := d.queue.Accept(t.Context(), jobs.Intake{Entries: []jobs.Entry{{Command: &jobs.Command{Action: jobs.Resume, Type: "sleep"}}}}); err != nil {
		t.Fatal(err)
	}
	d.append("pause sleep\n")
	q := d.prepared()
	defer q.Close()
	for range 10 {
		q.pass(t.Context())
	}
	if text := d.read(); strings.Contains(text, "pause") {
		t.Errorf("the file ends in %.80q", text[len(text)-80:])
	}
	brakes, err := d.queue.Brakes(t.Context())
	if err != nil || !brakes.Types["sleep"] {
		t.Errorf("brakes = %+v, %v, want the type paused again", brakes, err)
	}
}

// Spaces count as those of a plan only where what follows them stands as it is to:
// others may have moved what was blanked before.
func TestSpacesOfBeforeAreNotThePlans(t *testing.T) {
	before, line, waits, moved, end := strings.Repeat(" ", 100), "sleep 7\n", "sleep 8\nsleep 9\n", "# 16 bytes long\n", "sleep 10\n"
	blank := strings.Repeat(" ", len(line))
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"not begun", before + line + waits + moved + end, false},
		{"blanked", before + blank + waits + moved + end, true},
		{"blanked, and one came", before + blank + waits + moved + end + line, true},
		{"not begun, and a line moved to the top", moved + before + line + waits + end, false},
		{"not begun, and a note in front", "# a note\n" + before + line + waits + moved + end, false},
	} {
		p, path := newPlanFile(t)
		from := int64(len(before + line + waits + moved + end))
		pl := plan{Generation: uuid.New(), From: from, New: []byte("a line of ours\n"),
			Blanks: []blanking{{start: int64(len(before)), old: []byte(line), behind: []byte(waits)}}}
		if err := errors.Join(os.WriteFile(path, []byte(c.text), 0o644), p.write(pl, true)); err != nil {
			t.Fatal(err)
		}
		taken := jobs.Taken{Generation: pl.Generation.String(), Offset: int64(len(before)), Length: int64(len(line)), Hash: jobs.RawHash([]byte(line))}
		pl, repaired, ok, err := p.finish(path)
		if repaired || ok != c.want || pl.took(taken) != c.want || err != nil {
			t.Errorf("%s: repaired %v, ok %v, took the line %v, %v; want false, %v, %v", c.name, repaired, ok, pl.took(taken), err, c.want, c.want)
		}
	}
}

// A stretch that cannot be blanked has not left the file.
func TestFailedBlankingStands(t *testing.T) {
	d := newDesk(t)
	q := d.prepared()
	defer q.Close()
	f, err := os.Open(d.path) // not for writing
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	q.lines = 10
	e := &edit{gone: map[int64]int{8: 8, 16: 8, 24: 8}}
	q.blank(f, e, blanking{start: 8, old: []byte("sleep 7\nsleep 7\n")})
	if len(e.gone) != 1 || e.gone[24] != 8 || q.lines != 10 || !q.again {
		t.Errorf("gone = %v, %d lines, looks again %v", e.gone, q.lines, q.again)
	}
}
