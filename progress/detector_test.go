package progress_test

import (
	"regexp"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

var start = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// after is the time so long after the attempt's start.
func after(d time.Duration) time.Time { return start.Add(d) }

// The countdown of the examples shows its share, and its time left within a few
// seconds of its start.
func TestCountdown(t *testing.T) {
	rule := jobs.ProgressRule{Pattern: regexp.MustCompile(`Countdown: (?P<left>[0-9]+)`)}
	d := progress.New(rule, start)
	d.Write([]byte("Countdown: 25\n"), start)
	want(t, d.Progress(start), 0, "Countdown: 25", jobs.ProgressPattern)
	for left := 24; left > 0; left-- {
		at := after(time.Duration(25-left) * time.Second)
		d.Write([]byte("Countdown: "+itoa(left)+"\n"), at)
		p := d.Progress(at)
		want(t, p, float64(25-left)*4, "Countdown: "+itoa(left), jobs.ProgressPattern)
		if left > 22 {
			continue
		}
		if p.ETA == nil || *p.ETA != time.Duration(left)*time.Second || p.ETASource != jobs.ETARate {
			t.Errorf("%d left: got eta %v by %q", left, p.ETA, p.ETASource)
		}
	}
}
