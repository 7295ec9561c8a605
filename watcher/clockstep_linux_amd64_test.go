package watcher

import (
	"os"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// The clock on the wall is set while the daemon runs: what depends on how much
// time has passed must not notice.

// rewrite puts another file in the place of the queue file, as an editor does,
// with the time of the clock that was set.
func (d *desk) rewrite(text string) {
	d.t.Helper()
	temp, now := d.path+".new", time.Now()
	err := os.WriteFile(temp, []byte(text), 0o644)
	if err == nil {
		err = os.Chtimes(temp, now, now)
	}
	if err == nil {
		err = os.Rename(temp, d.path)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// A line that was placed a moment ago cannot have been seen by the tool that
// rewrites the file without it, and is put back, also where the clock says that
// it has stood there for an hour. One that has stood for long is removed, also
// where the clock says that it is yet to come.
func TestRemovalWhileClockIsSet(t *testing.T) {
	t.Parallel()
	if !runApart(t, nil) {
		return
	}
	clock := takeOverClock(t)
	d, ids := waiting(t, 3)

	d.append("countdown.py 77\n")
	d.settled(4)
	young := d.jobs()[0].ID
	text := d.without(young)
	clock.set(time.Hour)
	d.rewrite(text)
	d.until("the young line is put back", func() bool { return strings.Contains(d.read(), young) })
	if got := d.state(young); got != jobs.Pending {
		t.Errorf("the job of the young line is %s, want PENDING", got)
	}

	clock.set(-time.Hour)
	stood := time.Now().Add(unseenWindow + time.Second)
	d.until("the lines have stood for long enough", func() bool { return time.Now().After(stood) })
	d.rewrite(d.without(ids[0]))
	d.until("the job is cancelled", func() bool { return d.state(ids[0]) == jobs.Cancelled })
	for _, id := range append(ids[1:], young) {
		if got := d.state(id); got != jobs.Pending {
			t.Errorf("job %s is %s, want PENDING", id, got)
		}
	}
}

// A line that a tool writes back, which it had read before it was taken, is no
// new request, whatever the clock says of the time between.
func TestLineWrittenBackWhileClockIsSet(t *testing.T) {
	t.Parallel()
	if !runApart(t, nil) {
		return
	}
	clock := takeOverClock(t)
	d, _ := waiting(t, 2)
	d.append("countdown.py 77\n")
	d.settled(3)
	id := d.jobs()[0].ID
	d.begin(id)
	d.end(id, jobs.Completed)
	d.settled(3)
	clock.set(time.Hour)
	d.rewrite(d.without(id) + "countdown.py 77\n")
	d.until("the line as it was asked for has gone", func() bool {
		return strings.Contains(d.read(), id) && !strings.Contains("\n"+d.read(), "\ncountdown.py 77")
	})
	d.settled(3)
}

// The clock is set ahead between the writing of a file and the first look at
// it. The file is not older for that, and has to settle.
func TestFileSettlesWhileClockIsSet(t *testing.T) {
	t.Parallel()
	if !runApart(t, nil) {
		return
	}
	clock := takeOverClock(t)
	y := newTray(t)
	y.set.Settle = 200 * time.Millisecond
	y.scan()
	y.put(y.in("a.yaml"), goodText)
	clock.set(time.Hour)
	seen := time.Now()
	y.scan()
	if time.Since(seen) < y.set.Settle && !exists(y.in("a.yaml")) {
		t.Fatal("taken before settle")
	}
	y.answered("a.yaml")
	if d := time.Since(seen); d < y.set.Settle {
		t.Errorf("taken %v after it was first seen, settle is %v", d, y.set.Settle)
	}

	clock.set(-time.Hour) // files' times lie ahead now
	y.put(y.in("b.yaml"), goodText)
	y.answered("b.yaml")
}
