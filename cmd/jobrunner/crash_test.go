//go:build unix

package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/runner"
)

// A daemon, or its supervisor, is killed at each moment between two steps of
// what it does; another one goes on from there. Nothing is lost, nothing is
// done twice, and every exit status is true. Steps that are only passed after
// a crash, when its traces are mended, are tried with a second one. The long
// version also tries later passages of each step, and kills both at once.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	known := newPassages()
	inParallel(t, scenarios, (*scenario).String, func(t *testing.T, sc *scenario) {
		o := sc.world(t)
		sc.whole(o)
		known.add(o, way{scenario: sc})
	})
	kills := 0
	for next := known.untried(r); len(next) > 0 && !t.Failed(); next = known.untried(r) {
		kills += len(next)
		inParallel(t, next, way.String, func(t *testing.T, w way) {
			o := w.scenario.world(t, w.blows...)
			o.mayLose = slices.ContainsFunc(w.blows, func(b blow) bool { return b.deed == "both" || b.role == superviseVerb })
			w.scenario.whole(o, w.blows...)
			known.add(o, w)
		})
	}
	t.Logf("%d crashes at %d steps", kills, len(known.dealt))
	if t.Failed() {
		return
	}
	for name := range stepsInSource(t, "../../jobs", "../../watcher", "../../runner") {
		elsewhere := strings.HasPrefix(name, "prune: ") // by the tests of package retention
		dealt := func(role string) bool { return known.dealt[passage{role, name}] }
		if !elsewhere && !slices.ContainsFunc([]string{"serve", superviseVerb, runner.RelayVerb}, dealt) {
			t.Errorf("nothing was killed at the step %q: no scenario comes there", name)
		}
	}
}

// whole runs the scenario with one daemon after the other, and goes on with
// one more if the last blow fell when the daemon was told to end.
func (sc *scenario) whole(o *oracle, blows ...blow) {
	o.Helper()
	stop := o.keep()
	sc.run(o)
	late := slices.ContainsFunc(blows, func(b blow) bool { return !o.dealt(b) })
	stop()
	if late {
		stop = o.keep()
		o.settle()
		o.check()
		stop()
	}
}

// passage is a step that a kind of process passes.
type passage struct{ role, step string }

// way is how steps are come to: through a scenario with these blows.
type way struct {
	scenario *scenario
	blows    []blow
	times    int // how often the step is passed then
}

func (w way) String() string {
	words := []string{w.scenario.name}
	for _, b := range w.blows {
		words = append(words, b.String())
	}
	return strings.Join(words, ", ")
}

// and is the same way with one blow more.
func (w way) and(b blow) way {
	w.blows = append(slices.Clone(w.blows), b)
	return w
}

// before puts the cheaper way first.
func (w way) before(other way) int {
	return cmp.Or(
		cmp.Compare(len(w.blows), len(other.blows)),
		cmp.Compare(slices.Index(scenarios, w.scenario), slices.Index(scenarios, other.scenario)),
		cmp.Compare(w.String(), other.String()),
	)
}

// passages are the steps that are known to be passed, and how.
type passages struct {
	mu    sync.Mutex // guards what follows
	ways  map[passage][]way
	tried map[passage]int  // how many of the ways
	dealt map[passage]bool // a process was killed there
}

func newPassages() *passages {
	return &passages{ways: map[passage][]way{}, tried: map[passage]int{}, dealt: map[passage]bool{}}
}

// add notes what was passed in a world, and what befell it there.
func (p *passages) add(o *oracle, w way) {
	times := map[passage]int{}
	for _, line := range o.lines("passed") {
		words := strings.SplitN(line, " ", 3)
		n, err := strconv.Atoi(words[1])
		if err != nil {
			o.Fatal(err)
		}
		at := passage{words[0], words[2]}
		times[at] = max(times[at], n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for at, n := range times {
		p.ways[at] = append(p.ways[at], way{w.scenario, w.blows, n})
	}
	for _, b := range w.blows {
		if o.dealt(b) {
			p.dealt[passage{b.role, b.step}] = true
		}
	}
}

// untried gives ways to kill a process at each step where none was killed yet:
// the first time that it comes there, and once later.
func (p *passages) untried(r *rand.Rand) (next []way) {
	for at, ways := range p.ways {
		if p.dealt[at] || p.tried[at] == len(ways) {
			continue
		}
		slices.SortFunc(ways[p.tried[at]:], way.before)
		w := ways[p.tried[at]]
		next = append(next, w.and(blow{"kill", at.role, 1, at.step}))
		if p.tried[at]++; p.tried[at] == 1 {
			next = append(next, w.further(at, r)...)
		}
	}
	slices.SortFunc(next, way.before)
	return next
}

// further gives ways to other crashes at a step.
func (w way) further(at passage, r *rand.Rand) (more []way) {
	switch {
	case soaking():
		for n := 2; n <= min(w.times, 5); n++ {
			more = append(more, w.and(blow{"kill", at.role, n, at.step}))
		}
		more = append(more, w.and(blow{"both", at.role, 1, at.step}))
	case len(w.blows) > 0:
	case at.role == superviseVerb:
		more = append(more, w.and(blow{"both", at.role, 1, at.step}))
	case w.times > 1:
		more = append(more, w.and(blow{"kill", at.role, 2 + r.IntN(w.times-1), at.step}))
	}
	return more
}

// worldsAtOnce is how many worlds are tried beside each other: they wait, mostly.
const worldsAtOnce = 10

// inParallel runs a subtest for each of the things, a few at once.
func inParallel[T any](t *testing.T, things []T, name func(T) string, try func(*testing.T, T)) {
	var wg sync.WaitGroup
	places := make(chan struct{}, worldsAtOnce)
	for _, thing := range things {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			t.Run(name(thing), func(t *testing.T) { try(t, thing) })
		})
	}
	wg.Wait()
}

// A hundred and twenty jobs with all exit codes run while the daemon is killed
// again and again at moments that nobody chose: each runs once, each exit code
// is known, and never do more run at once than may.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	o := newOracleWorld(t, 4)
	o.killAtRandom(rounds(120, 1000), rounds(12, 60), func(*rand.Rand) {})
}

// The same where the supervisor is killed too, now alone, now with the daemon:
// no exit status is made up; one that nobody could see makes its job LOST.
func TestSupervisorKilledAtRandom(t *testing.T) {
	t.Parallel()
	o := newOracleWorld(t, 4)
	o.mayLose = true
	lock, killed := o.path(".jobrunner/supervisor.lock"), 0
	o.killAtRandom(rounds(60, 1000), rounds(6, 60), func(r *rand.Rand) {
		if pid := readPID(lock); pid != 0 && supervises(lock) {
			_ = kill(pid)
			killed++
			time.Sleep(time.Duration(max(0, r.IntN(400)-200)) * time.Millisecond) // how long the daemon outlives it
		}
	})
	lost := 0
	all, err := o.all()
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		if j.State == jobs.Lost {
			lost++
		}
	}
	t.Logf("%d supervisors were killed, %d of %d jobs are LOST", killed, lost, len(all))
}

// killAtRandom asks for jobs, kills the daemon between them, and looks whether
// all came out well. more is what befalls before each of its deaths.
func (o *oracle) killAtRandom(total, kills int, more func(*rand.Rand)) {
	o.Helper()
	r := seeded(o.T)
	o.start()
	for n := range total {
		tag, code := fmt.Sprintf("r%d", n), r.IntN(5)
		seconds := fmt.Sprintf("0.%02d", r.IntN(20))
		if n%3 == 0 {
			o.askFile(tag, code, seconds)
		} else {
			o.askLine(tag, code, seconds)
		}
		if n*kills/total != (n+1)*kills/total {
			time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond) // the moment of its death
			more(r)
			o.end(syscall.SIGKILL)
			o.start()
		}
	}
	o.settle()
	o.check()
}
