package watcher

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestPace(t *testing.T) {
	now := time.Now()
	var p pace
	p.wrote("small", time.Millisecond, now)
	p.wrote("large", 300*time.Millisecond, now)
	p.wrote("other", 200*time.Millisecond, now.Add(-time.Second))
	p.wrote("large", 300*time.Millisecond, now)
	for _, tt := range []struct {
		id   string
		at   time.Duration
		want bool
	}{{"small", 0, false}, {"new", 0, false}, {"large", 2699 * time.Millisecond, true}, {"other", 0, true}, {"large", 2700 * time.Millisecond, false}} {
		if got := p.waits(tt.id, now.Add(tt.at)); got != tt.want {
			t.Errorf("%s waits after %s: %v, want %v", tt.id, tt.at, got, tt.want)
		}
	}
	behind := map[string]*jobs.Receipt{"large": nil}
	if got := p.due(behind).Sub(now); got != 2700*time.Millisecond {
		t.Errorf("due after %s, want 2.7s", got)
	}
	behind["small"] = nil
	if !p.due(behind).IsZero() {
		t.Error("the small one is kept waiting")
	}
	p.wrote("large", time.Minute, now) // the disk was busy
	if got := p.due(map[string]*jobs.Receipt{"large": nil}).Sub(now); got != 10*time.Second {
		t.Errorf("after a slow writing due after %s, want 10s", got)
	}
	p.wrote("large", time.Millisecond, now) // its jobs are gone
	if p.waits("large", now) {
		t.Error("what is small now waits")
	}
}

// The reply of a large sweep takes a part of the time only, however often its
// jobs change, and is right in the end.
func TestRepliesOfSweepsArePaced(t *testing.T) {
	var written atomic.Int64
	jobs.OnStep = func(name string) {
		if name == "reply: written" {
			written.Add(1)
		}
	}
	t.Cleanup(func() { jobs.OnStep = nil })
	y := newTray(t)
	numbers := strings.TrimSuffix(strings.Repeat("1,", 500), ",")
	y.drop("sweep.yaml", fmt.Sprintf("{type: sleep, args: ['{n}'], foreach: {n: [%s]}}", numbers))
	if a := y.answered("sweep.yaml"); len(a.Jobs) != 500 {
		t.Fatalf("%s: %s", a.State, a.Reason)
	}
	r, err := y.queue.Receipt(t.Context(), "sweep.yaml")
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := y.box.writeReply(t.Context(), r); err != nil { // it is read, if not written
		t.Fatal(err)
	}
	cost := time.Since(begun)

	written.Store(0)
	stop := y.run()
	begun = time.Now()
	n := 0
	for ; n < 500 && time.Since(begun) < 20*cost; n++ {
		endOldest(t, y.queue)
	}
	wall, writes := time.Since(begun), time.Duration(written.Load())
	t.Logf("%d jobs ended in %s, the reply took %s and was written %d times", n, wall, cost, writes)
	if writes > 2+wall/cost/8 {
		t.Errorf("a reply that takes %s was written %d times in %s", cost, writes, wall)
	}
	within(t, "the reply is current", func() bool {
		return strings.Contains(y.reply("sweep.yaml").Reason, fmt.Sprintf("%d COMPLETED", n))
	})
	stop()
	if cost > 2*heavy && len(y.box.replies.pace.took) == 0 {
		t.Error("it is not known to be heavy")
	}
}
