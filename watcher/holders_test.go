package watcher

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// Programs that keep the queue file open: what is done while they do, and that
// waiting for them is no work.

// passes counts how often the desk's daemon asks for its settings, which it
// does once a pass.
func (d *desk) passes(during time.Duration) int64 {
	before := d.asked.Load()
	<-time.After(during)
	return d.asked.Load() - before
}

// idle fails the test if the daemon is busy with nothing.
func (d *desk) idle() {
	d.t.Helper()
	// Polling is 5 a second; a hint or a retry may add a few.
	d.until("the daemon is idle", func() bool { return d.passes(time.Second) <= 15 })
}

func TestIdleWithReaderAndCommandLast(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	f, err := os.Open(d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d.append("cancel " + ids[1] + "\n") // it cannot be cut off while somebody reads
	d.until("the job is cancelled", func() bool { return d.state(ids[1]) == jobs.Cancelled })
	d.idle()
}

func TestIdleWithWriterAndStatesBehind(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	f, err := os.OpenFile(d.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d.begin(ids[1])
	d.idle()
	f.Close()
	d.settled(3)
}

func TestRemovalByWriterThatStays(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	f, err := os.OpenFile(d.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept := d.without(ids[1])
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(kept), 0); err != nil {
		t.Fatal(err)
	}
	d.until("the job is held back", func() bool { return d.job(ids[1]).Doubt })
	d.idle()
	if got := d.state(ids[1]); got != jobs.Pending {
		t.Errorf("job is %s while somebody may be writing, want PENDING", got)
	}
	f.Close()
	d.until("the job is cancelled", func() bool { return d.state(ids[1]) == jobs.Cancelled })
}

func TestAppenderThatNeverCloses(t *testing.T) {
	t.Parallel()
	d, _ := waiting(t, 3)
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	tick := time.NewTicker(300 * time.Millisecond) // never quiet for long
	defer tick.Stop()
	d.until("requests are taken all the same", func() bool {
		<-tick.C
		fmt.Fprintf(f, "countdown.py %d\n", n)
		n++
		return len(d.jobs()) > 8
	})
	f.Close()
	d.settled(3 + n)
}

// without is the file's text without the line of the job.
func (d *desk) without(id string) string {
	d.t.Helper()
	var kept strings.Builder
	for _, l := range strings.SplitAfter(d.read(), "\n") {
		if !strings.HasPrefix(l, id) {
			kept.WriteString(l)
		}
	}
	return kept.String()
}
