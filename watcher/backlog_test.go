package watcher

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jobrunner/jobs"
)

// crash is what a test panics with at a step, in place of the daemon's end.
type crash struct{}

// longLine is so long that of some hundreds those in front are blanked, not cut out.
var longLine = fmt.Sprintf(`{"type":"sleep","args":["1"],"labels":{"pad":"%s"}}`+"\n", strings.Repeat("x", 3000))

// A crash at any step, while lines of the same words wait in the file, those
// before them are blanked and the rest moves, neither loses nor doubles one.
func TestCrashesWhileLinesWait(t *testing.T) {
	random := seeded(t)
	lines, rounds := 450, 25
	if soaking() {
		lines, rounds = 1500, 200
	}
	var left atomic.Int64 // steps until the crash
	jobs.OnStep = func(name string) {
		if strings.HasPrefix(name, "queue file: ") && left.Add(-1) == 0 { // others are of other goroutines
			panic(crash{})
		}
	}
	t.Cleanup(func() { jobs.OnStep = nil })
	d := newDesk(t)
	d.keep = 100 // so that lines leave, too
	d.most.Store(25)
	d.append(strings.Repeat(longLine, lines)) // so long that those in front are blanked, not cut out
	ended, crashes := 0, 0
	for n := 0; n < rounds; n++ {
		left.Store(1 + random.Int63n(60))
		if crashed(t, d, 1+random.Intn(6)) {
			crashes++
			runtime.GC() // closes what it had open, as its end would, or its lease would last
		}
		for range random.Intn(25) {
			if pending(t, d.queue) > 0 {
				endOldest(t, d.queue)
				ended++
			}
		}
	}
	left.Store(0)
	d.most.Store(0)
	d.start()
	var found string
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		text := d.read()
		raw, made := strings.Count(text, `{"type"`), countAll(t, d.queue)
		found = fmt.Sprintf("%d jobs, and %d lines are left as they were", made, raw)
		if made == lines && raw == 0 && oneLineEach(text) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("of %d lines came %s, each job with one line: %v; %d crashes, %d jobs ended", lines, found, oneLineEach(text), crashes, ended)
		}
	}
	t.Logf("%d lines, %d crashes, %d jobs ended meanwhile", lines, crashes, ended)
}

// A line that was taken, and that a crash has left in the file beside its job's own
// one, is not taken again when another program moves it.
func TestTakenLineMovesBesideItsOwn(t *testing.T) {
	d := newDesk(t)
	d.most.Store(1)
	d.append("sleep 7\n" + strings.Repeat(longLine, 2*maxRewrite/len(longLine))) // so much that it is to be blanked
	dieAt(t, d, "queue file: plan marked as done")
	if text := d.read(); !strings.HasPrefix(text, "sleep 7\n") || strings.Count(text, "sleep 7") != 2 {
		t.Fatalf("the file begins with %.60q", text)
	}
	q := d.prepared()
	defer q.Close()
	d.write("# a note in front\n" + d.read())
	d.most.Store(2)
	for range 5 {
		q.pass(t.Context())
	}
	list, err := d.queue.List(t.Context(), jobs.Filter{Limit: 10})
	if err != nil || len(list) != 2 || !slices.Equal(list[1].Args, []string{"7"}) || !slices.Equal(list[0].Args, []string{"1"}) {
		t.Errorf("%d jobs, %v, the last one of %q", len(list), err, list[0].Args)
	}
	if n := strings.Count(d.read(), "sleep 7"); n != 1 {
		t.Errorf("the file has %d lines of it", n)
	}
}

// dieAt has a daemon's half work until it dies at the step.
func dieAt(t *testing.T, d *desk, step string) {
	t.Helper()
	jobs.OnStep = func(name string) {
		if name == step {
			panic(crash{})
		}
	}
	t.Cleanup(func() { jobs.OnStep = nil })
	if !crashed(t, d, 5) {
		t.Fatalf("it did not come to the step %q", step)
	}
	jobs.OnStep = nil
	runtime.GC() // closes what it had open
}

// crashed has a daemon's half work until it dies at a step, or has done some
// passes.
func crashed(t *testing.T, d *desk, passes int) (died bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			died = true
		}
	}()
	q := d.prepared()
	defer q.Close()
	for range passes {
		q.pass(t.Context())
	}
	return false
}

func countAll(t *testing.T, q *jobs.Queue) (n int) {
	t.Helper()
	stats, err := q.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range stats.States {
		n += of
	}
	return n
}

// oneLineEach reports whether no job has two lines.
func oneLineEach(text string) bool {
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		id, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}

// A line that was blanked is the beginning of the next one, which is not taken
// for it even if it has the same words.
func TestRecognise(t *testing.T) {
	taken := func(offset, length int64, text string, job string) jobs.Taken {
		return jobs.Taken{Offset: offset, Length: length, Hash: jobs.RawHash([]byte(text)), Job: job}
	}
	raw := func(start int64, text string) rawLine {
		return newRawLine(start, []byte(text), 1)
	}
	const blank = "        " // as long as the line
	for _, tt := range []struct {
		name  string
		raws  []rawLine
		taken []jobs.Taken
		want  []int
	}{
		{"in its place", []rawLine{raw(0, "sleep 1\n"), raw(8, "sleep 1\n")}, []jobs.Taken{taken(8, 8, "sleep 1", "b")}, []int{-1, 0}},
		{"the one before it blanked", []rawLine{raw(0, blank+"sleep 1\n")}, []jobs.Taken{taken(0, 8, "sleep 1", "a"), taken(8, 8, "sleep 1", "b")}, []int{1}},
		{"only the blanked one taken", []rawLine{raw(0, blank+"sleep 1\n")}, []jobs.Taken{taken(0, 8, "sleep 1", "a")}, []int{-1}},
		{"its line end came later", []rawLine{raw(0, "sleep 1\n")}, []jobs.Taken{taken(0, 7, "sleep 1", "a")}, []int{0}},
		{"its first half blanked", []rawLine{raw(4092, blank[:4]+"p 1\n")}, []jobs.Taken{taken(4092, 8, "sleep 1", "a")}, []int{0}},
		{"its first word blanked", []rawLine{raw(4091, blank[:5]+" 1\n")}, []jobs.Taken{taken(4091, 8, "sleep 1", "a")}, []int{0}},
		{"its first half changed", []rawLine{raw(4091, blank[:4]+"p 1\n")}, []jobs.Taken{taken(4091, 8, "sleep 1", "a")}, []int{-1}},
		{"other words", []rawLine{raw(0, "sleep 2\n")}, []jobs.Taken{taken(0, 8, "sleep 1", "a")}, []int{-1}},
	} {
		got := recognise(tt.raws, tt.taken, func(jobs.Taken) bool { return false })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// While lines wait for room, a file that another program changed before it could be
// written is looked at again at once.
func TestChangedFileIsLookedAtWhileLinesWait(t *testing.T) {
	d := newDesk(t)
	d.most.Store(1)
	d.append(strings.Repeat("sleep 1\n", 10))
	q := d.prepared()
	defer q.Close()
	jobs.OnStep = func(name string) {
		if name == "queue file: plan written" {
			d.write("# mine\n" + d.read())
		}
	}
	t.Cleanup(func() { jobs.OnStep = nil })
	wait := q.pass(t.Context())
	if !q.whole || !q.full {
		t.Fatalf("to be looked at as a whole: %v, full: %v", q.whole, q.full)
	}
	if wait > 100*time.Millisecond {
		t.Errorf("it wants to be called again in %s", wait)
	}
}

// What is looked through for commands is not looked through again.
func TestBacklogIsExaminedOnce(t *testing.T) {
	d := newDesk(t)
	d.most.Store(1)
	d.append(strings.Repeat("sleep 1\n", 100) + `{"action": "cancel", "ids": ["44444444"]}` + "\n")
	q := d.prepared()
	defer q.Close()
	q.pass(t.Context()) // its edit makes the file another one
	q.pass(t.Context())
	if len(q.backlog) != 100 || !q.full {
		t.Fatalf("%d lines wait, full %v", len(q.backlog), q.full)
	}
	if i := slices.IndexFunc(q.backlog, func(r rawLine) bool { return !r.is(examined) }); i >= 0 {
		t.Errorf("line %d is to be examined again", q.backlog[i].number)
	}
	beat := time.Now().Add(jobs.UntilBeat(q.o.Settings().PollInterval))
	if wait := q.pass(t.Context()); time.Now().Add(wait).Before(beat) {
		t.Errorf("while there is no room it wants to be called again in %s", wait)
	}
}
