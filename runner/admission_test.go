package runner

import (
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"jobrunner/jobs"
)

func init() {
	// token notes when it began and ended, and which tokens of gpu it had.
	roles["token"] = func(args []string) {
		tokens, attempt := os.Getenv("JOBRUNNER_SLOT_GPU"), os.Getenv("JOBRUNNER_ATTEMPT")
		note(args[0], "begin", tokens, args[2], attempt)
		time.Sleep(time.Duration(number(args[1])) * time.Millisecond)
		note(args[0], "end", tokens, args[2], attempt)
		if len(args) > 3 {
			os.Exit(number(args[2+number(attempt)]))
		}
	}
}

// gpus is a pool of that name.
func gpus(perSlot int, tokens ...string) map[string]jobs.SlotPool {
	return map[string]jobs.SlotPool{"gpu": {Tokens: tokens, PerSlot: perSlot}}
}

// taker is a type whose jobs take tokens.
func taker(name string, need map[string]int) *jobs.Type {
	typ := roleType(name)
	typ.Slots = need
	return typ
}

// slotWorld is a world with pools of tokens.
func slotWorld(t *testing.T, limit int, pools map[string]jobs.SlotPool, more ...*jobs.Type) *world {
	t.Helper()
	w := newWorld(t, limit)
	w.pools = pools
	w.configure(limit, more...)
	return w
}

// addUntil adds a job that runs until the file of that name is there.
func (w *world) addUntil(typ, name string, priority int) string {
	return w.addJob(jobs.Job{Type: typ, Priority: priority, Args: []string{"until", w.file(name), "0"}})
}

// wantTokens holds what a job was given against what it should have.
func (w *world) wantTokens(id string, want map[string][]string) {
	w.t.Helper()
	if got := w.job(id).Slots; !reflect.DeepEqual(got, want) {
		w.t.Errorf("job %s has tokens %v, want %v", id, got, want)
	}
}

// wantWaiting holds that a job still waits, after the scheduler has done all
// that it can do: other is begun after it and has ended.
func (w *world) wantWaiting(ids ...string) {
	w.t.Helper()
	w.want(w.awaitEnd(w.addJob(jobs.Job{Priority: -100, Args: []string{"exit", "0"}})), jobs.Completed, "exit 0")
	for _, id := range ids {
		if job := w.job(id); job.State != jobs.Pending {
			w.t.Errorf("job %s is %s with tokens %v, want PENDING", id, job.State, job.Slots)
		}
	}
}

func gpu(tokens ...string) map[string][]string { return map[string][]string{"gpu": tokens} }

func TestTokens(t *testing.T) {
	w := slotWorld(t, 5, gpus(1, "b", "a"), taker("gpu", map[string]int{"gpu": 1}))
	names := []string{"one", "two", "three", "four"}
	var ids []string
	for _, name := range names {
		ids = append(ids, w.addUntil("gpu", name, 0))
	}
	w.serve()
	w.awaitRun(ids[0], w.file("one"))
	w.awaitRun(ids[1], w.file("two"))
	w.wantTokens(ids[0], gpu("b"))
	w.wantTokens(ids[1], gpu("a"))
	w.wantWaiting(ids[2:]...)
	w.release(w.file("two"))
	w.awaitRun(ids[2], w.file("three"))
	w.wantTokens(ids[2], gpu("a"))
	w.wantWaiting(ids[3])
	w.release(w.file("one"))
	w.awaitRun(ids[3], w.file("four"))
	w.wantTokens(ids[3], gpu("b"))
	w.release(w.file("three"))
	w.release(w.file("four"))
	for _, id := range ids {
		w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	}
	w.wantTokens(ids[0], gpu("b")) // they are kept for who looks later
}

// The job itself is told its tokens.
func TestTokensInEnvironment(t *testing.T) {
	w := slotWorld(t, 2, gpus(1, "b", "a"), taker("gpu", map[string]int{"gpu": 2}))
	file := w.file("notes")
	id := w.addJob(jobs.Job{Type: "gpu", Args: []string{"token", file, "0", "x"}})
	w.serve()
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	if got := notes(t, file)[0]; got[1] != "b,a" {
		t.Errorf("JOBRUNNER_SLOT_GPU=%s, want b,a", got[1])
	}
}

func TestSharedTokens(t *testing.T) {
	w := slotWorld(t, 9, gpus(2, "0", "1"), taker("gpu", map[string]int{"gpu": 1}))
	var ids []string
	for i := range 5 {
		ids = append(ids, w.addUntil("gpu", fmt.Sprint("go", i), 0))
	}
	w.serve()
	for i, token := range []string{"0", "0", "1", "1"} {
		w.awaitRun(ids[i], w.file(fmt.Sprint("go", i)))
		w.wantTokens(ids[i], gpu(token))
	}
	w.wantWaiting(ids[4])
	w.release(w.file("go1"))
	w.awaitRun(ids[4], w.file("go4"))
	w.wantTokens(ids[4], gpu("0"))
}

func TestTwoSlots(t *testing.T) {
	pools := gpus(1, "0", "1")
	pools["licence"] = jobs.SlotPool{Tokens: []string{"x"}, PerSlot: 1}
	w := slotWorld(t, 9, pools, taker("both", map[string]int{"gpu": 1, "licence": 1}), taker("gpu", map[string]int{"gpu": 1}))
	first, second := w.addUntil("both", "first", 0), w.addUntil("both", "second", 0)
	third := w.addUntil("gpu", "third", 0)
	w.serve()
	w.awaitRun(first, w.file("first"))
	w.awaitRun(third, w.file("third"))
	w.wantTokens(first, map[string][]string{"gpu": {"0"}, "licence": {"x"}})
	w.wantTokens(third, gpu("1")) // the second waits for a licence and keeps none from it
	w.wantWaiting(second)
	w.release(w.file("third"))
	w.awaitEnd(third)
	w.wantWaiting(second)
	w.release(w.file("first"))
	w.awaitRun(second, w.file("second"))
	w.wantTokens(second, map[string][]string{"gpu": {"0"}, "licence": {"x"}})
}

// A job that needs more tokens than are free is not overtaken for ever by those
// that need fewer.
func TestTokensKept(t *testing.T) {
	w := slotWorld(t, 3, gpus(1, "0", "1"), taker("one", map[string]int{"gpu": 1}), taker("two", map[string]int{"gpu": 2}))
	running := w.addUntil("one", "running", 0)
	w.serve()
	w.awaitRun(running, w.file("running"))
	big := w.addUntil("two", "big", 0)
	later := w.addUntil("one", "later", 0)
	w.wantWaiting(big, later)
	before := w.addUntil("one", "before", 5) // it comes first, so nothing is kept from it
	w.awaitRun(before, w.file("before"))
	w.wantTokens(before, gpu("1"))
	w.release(w.file("running"))
	w.awaitEnd(running)
	w.wantWaiting(big, later)
	w.release(w.file("before"))
	w.awaitRun(big, w.file("big"))
	w.wantTokens(big, gpu("0", "1"))
	w.wantWaiting(later)
	w.release(w.file("big"))
	w.awaitRun(later, w.file("later"))
	w.wantTokens(later, gpu("0"))
}

// Jobs that take no tokens run at full width, whatever waits for tokens before
// them.
func TestWidthBesideTokens(t *testing.T) {
	const width = 3
	w := slotWorld(t, width+1, gpus(1, "0"), taker("gpu", map[string]int{"gpu": 1}))
	waiting := []string{w.addUntil("gpu", "long", 99)}
	w.serve()
	w.awaitRun(waiting[0], w.file("long"))
	for range 50 {
		waiting = append(waiting, w.addJob(jobs.Job{Type: "gpu", Priority: 50, Args: []string{"exit", "0"}}))
	}
	for round := range 3 {
		name := func(i int) string { return fmt.Sprint("cpu", round, "-", i) }
		var ids []string
		for i := range width {
			ids = append(ids, w.addUntil("role", name(i), 0))
		}
		for i, id := range ids {
			w.awaitRun(id, w.file(name(i))) // none ends before all of them run
		}
		for i, id := range ids {
			w.release(w.file(name(i)))
			w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
		}
	}
	for i, id := range waiting {
		if job := w.job(id); (job.State == jobs.Running) != (i == 0) || job.State.Ended() {
			t.Errorf("job %d that takes a token is %s", i, job.State)
		}
	}
}

// Of many jobs that wait for tokens no more are read than can start.
func TestReadNoMoreThanNeeded(t *testing.T) {
	w := slotWorld(t, 100, gpus(2, "0", "1"),
		taker("one", map[string]int{"gpu": 1}), taker("two", map[string]int{"gpu": 2}), taker("never", map[string]int{"gpu": 3}))
	c := w.catalog.Load()
	s := newScheduler(w.options())
	defer s.close()
	narrowed := func() map[string]int {
		room, _ := s.room(c)
		narrow(room, c, s.tokens(c))
		return room
	}
	want := func(what string, want map[string]int) {
		t.Helper()
		if got := narrowed(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v are read, want %v", what, got, want)
		}
	}
	want("all free", map[string]int{"role": 100, "one": 4, "two": 2})
	s.strays[attemptKey{"a", 1}] = attemptState{Slots: gpu("0")}
	s.strays[attemptKey{"b", 1}] = attemptState{Slots: gpu("0")}
	want("one free", map[string]int{"role": 98, "one": 4, "two": 1})
	s.strays[attemptKey{"c", 2}] = attemptState{Slots: gpu("0", "1")}
	s.strays[attemptKey{"d", 2}] = attemptState{Slots: gpu("1", "gone")}
	want("none free", map[string]int{"role": 96})
	clear(s.strays)
	s.brakes.Types = map[string]bool{"one": true}
	want("paused", map[string]int{"role": 100, "two": 2})
}

// More types than the queue asks one by one for their next jobs.
func TestManyTypes(t *testing.T) {
	var more []*jobs.Type
	for i := range 24 {
		more = append(more, roleType(fmt.Sprint("type", i)))
	}
	w := newWorld(t, 2, more...)
	w.serve()
	for _, typ := range []*jobs.Type{more[0], more[23], more[5]} {
		w.want(w.awaitEnd(w.addJob(jobs.Job{Type: typ.Name, Args: []string{"exit", "0"}})), jobs.Completed, "exit 0")
	}
}

func TestFits(t *testing.T) {
	tests := []struct {
		tokens map[string][]string
		need   map[string]int
		want   bool
	}{
		{nil, nil, true},
		{nil, map[string]int{"gpu": 0}, true},
		{gpu("0"), map[string]int{"gpu": 1}, true},
		{gpu("0"), map[string]int{"gpu": 2}, false},
		{gpu("0"), nil, false},
		{gpu("0"), map[string]int{"gpu": 1, "licence": 1}, false},
		{nil, map[string]int{"gpu": 1}, false},
	}
	for _, tt := range tests {
		if got := fits(tt.tokens, tt.need); got != tt.want {
			t.Errorf("fits(%v, %v) = %t, want %t", tt.tokens, tt.need, got, tt.want)
		}
	}
}
