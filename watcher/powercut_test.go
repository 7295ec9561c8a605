package watcher

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// pages is text of so many bytes, each line of which names what it is and where.
func pages(what string, n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%s %d %s\n", what, i, strings.Repeat("x", i%50))
	}
	return append(b.Bytes()[:n-1], '\n')
}

// TestPowerCutInAPlan leaves of a plan every mix of old pages, new pages and
// zeros, with the file's size as it was and as it was to be. What stands there
// after the repair is the one or the other.
func TestPowerCutInAPlan(t *testing.T) {
	for _, sizes := range [][2]int{{60, 70}, {70, 60}, {60, 9000}, {9000, 60}, {9000, 13000}, {13000, 9000}, {12000, 12000}, {0, 9000}} {
		for _, from := range []int{0, 100, pageSize - 10} {
			plan := plan{From: int64(from), New: pages("new", sizes[1])}
			if sizes[0] > 0 {
				plan.Old = pages("old", sizes[0])
			}
			for _, size := range sizes {
				eachMix(plan, size, func(found []byte, name string) {
					for _, done := range []bool{false, true} {
						cutInPlan(t, plan, found, done, fmt.Sprintf("%d to %d bytes at %d, %s, done %v", sizes[0], sizes[1], from, name, done))
					}
				})
			}
		}
	}
}

// eachMix calls fn with what can stand at a plan's place when the file got that
// size there.
func eachMix(pl plan, size int, fn func(found []byte, name string)) {
	var borders []int // where pages begin
	for at := 0; at < size; {
		borders = append(borders, at)
		at = (int(pl.From)+at)/pageSize*pageSize + pageSize - int(pl.From)
	}
	kinds := 1
	for range borders {
		kinds *= 3
	}
	for mix := range kinds {
		found, name := make([]byte, size), fmt.Sprintf("size %d, pages ", size)
		for n, at := range borders {
			end := size
			if n+1 < len(borders) {
				end = borders[n+1]
			}
			kind := mix
			for range n {
				kind /= 3
			}
			name += string("old new cut "[kind%3*4:][:4])
			text := [][]byte{pl.Old, pl.over(), pl.New}[kind%3]
			if at >= len(pl.New) && kind%3 == 2 {
				text = pl.Old
			}
			if at < len(text) {
				copy(found[at:end], text[at:])
			}
		}
		fn(found, name)
	}
}

// cutInPlan does with what was found what the next start does.
func cutInPlan(t *testing.T, pl plan, found []byte, done bool, name string) {
	t.Helper()
	got, carriedOut := found, true
	if !done || !pl.standsIn(found) {
		if got, carriedOut = pl.mended(found); !carriedOut {
			got = found
		}
	}
	got = bytes.TrimRight(got, "\x00")
	isNew, isOld := bytes.Equal(got, pl.New), bytes.Equal(got, pl.Old)
	if !isNew && !isOld {
		t.Errorf("%s: the file has %.300q", name, got)
	}
	if isOld && !isNew && carriedOut && len(pl.Old) > 0 {
		t.Errorf("%s: the plan counts as carried out, and the old text stands there", name)
	}
}

// TestAppendedAfterAPowerCut has another program append a line to what the power
// cut has left, before the next start.
func TestAppendedAfterAPowerCut(t *testing.T) {
	line := []byte("other 1\n")
	for _, sizes := range [][2]int{{60, 70}, {70, 60}, {60, 9000}, {9000, 60}, {9000, 13000}, {13000, 9000}, {12000, 12000}, {pageSize, 2 * pageSize}} {
		for _, from := range []int{0, 100, pageSize - 10} {
			plan := plan{From: int64(from), Old: pages("old", sizes[0]), New: pages("new", sizes[1])}
			for _, size := range sizes {
				eachMix(plan, size, func(found []byte, name string) {
					for _, done := range []bool{false, true} {
						got, ok := concat(found, line), false
						if !done || !plan.standsIn(got) {
							if got, ok = plan.mended(got); !ok {
								got = concat(found, line)
							}
						}
						got = bytes.ReplaceAll(got, []byte{0}, nil)
						if !bytes.Equal(got, concat(plan.New, line)) && !bytes.Equal(got, concat(plan.Old, line)) {
							t.Errorf("%d to %d bytes at %d, %s, done %v: the file has %.300q", sizes[0], sizes[1], from, name, done, got)
						}
					}
				})
			}
		}
	}
}

// TestPowerCutInBlanks leaves of lines that are being blanked every mix of old
// pages and blanked ones. No part of a line is left there.
func TestPowerCutInBlanks(t *testing.T) {
	p, path := newPlanFile(t)
	head, between, end := []byte("# the head\n"), []byte("sleep 1\n"), []byte("sleep 2\n")
	for _, size := range []int{20, 2 * pageSize, 2*pageSize + 100} {
		pad := append(bytes.Repeat([]byte{'#'}, pageSize-len(head)-9), '\n') // a stretch begins 8 bytes before a page's border
		before := concat(head, pad)
		one := blanking{start: int64(len(before)), old: pages("one", size)}
		two := blanking{start: one.start + int64(len(one.old)+len(between)), old: pages("two", pageSize)}
		file := concat(concat(concat(before, one.old), concat(between, two.old)), end)
		pl := plan{From: int64(len(file)), New: []byte("new\n"), Blanks: []blanking{one, two}}
		spaces := bytes.Repeat([]byte{' '}, len(one.old))
		eachMix(plan{From: one.start, Old: one.old, New: spaces}, len(one.old), func(found []byte, name string) {
			for _, done := range []bool{false, true} {
				text := bytes.Clone(file)
				copy(text[one.start:], found)
				if done {
					text = concat(text, pl.New)
				}
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
				if err := p.write(pl, true); err != nil {
					t.Fatal(err)
				}
				if done {
					if err := p.done(); err != nil {
						t.Fatal(err)
					}
				}
				if _, _, _, err := p.finish(path); err != nil {
					t.Fatal(err)
				}
				want := bytes.Clone(text)
				if !bytes.Equal(found, one.old) {
					copy(want[one.start:], spaces)
				}
				if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
					t.Errorf("%d bytes, %s, done %v: the stretch is %.200q", size, name, done, got[one.start:])
				}
			}
		})
	}
}

// TestLostWriteOfADonePlan has the power cut take the write, and not the note that
// it was carried out.
func TestLostWriteOfADonePlan(t *testing.T) {
	p, path := newPlanFile(t)
	pl := plan{From: 10, Old: pages("old", 5000), New: pages("new", 6000)}
	head := bytes.Repeat([]byte{'#'}, 10)
	for _, c := range []struct {
		found   []byte
		carried bool
		want    []byte
		name    string
	}{
		{pl.Old, false, pl.Old, "lost"},
		{concat(pl.New[:pageSize-10], pl.Old[pageSize-10:]), true, pl.New, "half lost"},
		{concat(pl.New, []byte("more\n")), true, concat(pl.New, []byte("more\n")), "there"},
	} {
		if err := os.WriteFile(path, concat(head, c.found), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(p.write(pl, true), p.done()); err != nil {
			t.Fatal(err)
		}
		_, _, carried, err := p.finish(path)
		if err != nil || carried != c.carried {
			t.Errorf("%s: finish says %v, %v, want %v", c.name, carried, err, c.carried)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, concat(head, c.want)) {
			t.Errorf("%s: file = %.100q", c.name, got)
		}
	}
}

// A state word that is due is written with the rest of its line: changed after
// that, but before it is on disk, the plan would not know the line again.
func TestPlanHasTheStateWords(t *testing.T) {
	d := newDesk(t)
	d.keep = 0
	d.append("sleep 1\nsleep 2\n")
	q := d.prepared()
	defer q.Close()
	q.pass(t.Context())
	list := d.jobs()
	for n, j := range slices.Backward(list) { // the first one's line leaves when the second one's word is due
		d.begin(j.ID)
		d.end(j.ID, jobs.Completed)
		if n > 0 {
			q.pass(t.Context())
		}
	}
	planned := 0
	jobs.OnStep = func(name string) {
		if name != "queue file: plan written" {
			return
		}
		if pl, ok, err := q.plan.read(); len(pl.New) > 0 || !ok {
			planned++
			if !bytes.Contains(pl.New, []byte("COMPLETED")) {
				t.Errorf("the plan, %v, %v, makes %q", ok, err, pl.New)
			}
		}
	}
	defer func() { jobs.OnStep = nil }()
	for range 3 {
		q.pass(t.Context())
	}
	if text := d.read(); text != "" || planned == 0 {
		t.Errorf("the file has %q, want nothing; %d plans with a line", text, planned)
	}
}

// TestFailedWriteIsUndone has the disk give up in the middle of a write.
func TestFailedWriteIsUndone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job_queue.txt")
	pl := plan{From: 10, Old: pages("old", 5000), New: pages("new", 9000)}
	before := append(bytes.Repeat([]byte{'#'}, 10), pl.Old...)
	if err := os.WriteFile(path, append(before[:10:10], pl.New[:pageSize-10]...), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := pl.undo(f); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, before) {
		t.Errorf("file = %.100q, want what stood there before", got)
	}
}

// TestHalfAppendedLineIsBlanked has the disk give up in the middle of lines that
// are appended beside a reader.
func TestHalfAppendedLineIsBlanked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job_queue.txt")
	const text = "first line of ours\nsecond line of ours\n"
	for n := range len(text) {
		if err := os.WriteFile(path, []byte("before\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text[:n]); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		unappend(f, w, []byte(text), n)
		w.Close()
		f.Close()
		got, _ := os.ReadFile(path)
		whole := strings.LastIndexByte(text[:n], '\n') + 1
		if want := "before\n" + text[:whole] + strings.Repeat(" ", n-whole); string(got) != want {
			t.Errorf("after %d bytes the file is %q, want %q", n, got, want)
		}
	}
}
