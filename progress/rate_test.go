package progress_test

import (
	"fmt"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// say writes a percentage at a time after the start.
func say(d *progress.Detector, percent float64, at time.Duration) {
	d.Write([]byte(fmt.Sprintf("@progress %g%%\n", percent)), after(at))
}

// wantLeft checks the time left; a negative one means that none can be said.
func wantLeft(t *testing.T, d *progress.Detector, now, left time.Duration) {
	t.Helper()
	p := d.Progress(after(now))
	switch {
	case p == nil:
		t.Errorf("after %v: got nothing", now)
	case left < 0 && p.ETA != nil:
		t.Errorf("after %v: got %v left by %s", now, *p.ETA, p.ETASource)
	case left >= 0 && (p.ETA == nil || (*p.ETA-left).Abs() > time.Millisecond || p.ETASource != jobs.ETARate):
		t.Errorf("after %v: got %s, want %v left", now, show(p), left)
	}
}

// A rate is believed after a hundredth and half a minute.
func TestRateSlow(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, time.Time{})
	for i := range 11 {
		say(d, 0.2*float64(i), time.Duration(i)*10*time.Second)
	}
	wantLeft(t, d, 100*time.Second, 4900*time.Second)

	d = progress.New(jobs.ProgressRule{}, time.Time{})
	say(d, 0, 0)
	say(d, 0.5, 25*time.Second)
	wantLeft(t, d, 25*time.Second, -1)
	say(d, 0.9, 45*time.Second)
	wantLeft(t, d, 45*time.Second, -1)
	say(d, 1, 50*time.Second)
	wantLeft(t, d, 50*time.Second, 4950*time.Second)
}

// Of a short job it is believed sooner, but not from one jump.
func TestRateShort(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, time.Time{})
	say(d, 0, 0)
	say(d, 10, time.Second)
	wantLeft(t, d, time.Second, -1)
	say(d, 20, 2*time.Second)
	wantLeft(t, d, 2*time.Second, 8*time.Second)

	d = progress.New(jobs.ProgressRule{}, time.Time{})
	say(d, 0, 0)
	say(d, 50, 5*time.Second)
	wantLeft(t, d, 5*time.Second, -1)
}

// It is counted from now on, and never below nothing.
func TestRateCountsDown(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, time.Time{})
	for i := range 10 {
		say(d, 10*float64(i), time.Duration(i)*time.Second)
	}
	wantLeft(t, d, 9*time.Second, time.Second)
	wantLeft(t, d, 9500*time.Millisecond, 500*time.Millisecond)
	wantLeft(t, d, 15*time.Second, 0)
}

// What it was more than ten minutes ago does not count.
func TestRateWindow(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, time.Time{})
	at := time.Duration(0)
	for i := range 41 {
		say(d, float64(i), at) // a hundredth in a second
		at += time.Second
	}
	for i := range 20 {
		at += time.Minute - time.Second
		say(d, 41+float64(i), at) // a hundredth in a minute
		at += time.Second
	}
	wantLeft(t, d, at-time.Second, 40*time.Minute)
}

// It is not said any more when the fraction has not grown for long: five of the
// usual gaps, and at least half a minute.
func TestRateSilence(t *testing.T) {
	for gap, silence := range map[time.Duration]time.Duration{time.Second: 30 * time.Second, time.Minute: 5 * time.Minute} {
		d := progress.New(jobs.ProgressRule{}, time.Time{})
		var at time.Duration
		for i := range 11 {
			at = time.Duration(i) * gap
			say(d, float64(i), at)
		}
		wantLeft(t, d, at+silence, 90*gap-silence)
		wantLeft(t, d, at+silence+time.Second, -1)
		for range 3 { // the same again is no news
			at += silence + time.Second
			say(d, 10, at)
			wantLeft(t, d, at, -1)
		}
	}
}

// If the clock was set back, nothing is counted across that.
func TestRateWhileClockIsSet(t *testing.T) {
	const back = time.Hour
	d := progress.New(jobs.ProgressRule{}, start)
	for i := range 11 {
		say(d, float64(i), time.Duration(i)*10*time.Second)
	}
	wantLeft(t, d, 100*time.Second, 900*time.Second)
	wantLeft(t, d, 100*time.Second-back, -1)
	for i := 11; i < 61; i++ {
		at := time.Duration(i)*10*time.Second - back
		say(d, float64(i), at)
		if i > 14 {
			wantLeft(t, d, at, time.Duration(100-i)*10*time.Second)
		}
	}
}

// At the end there is nothing left to say.
func TestRateEnd(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	for i := range 11 {
		say(d, 10*float64(i), time.Duration(i)*time.Second)
	}
	wantLeft(t, d, 10*time.Second, -1)
}

// However many samples there are, the rate stays that of the window.
func TestRateManySamples(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, time.Time{})
	for i := range 5001 {
		say(d, float64(i)/100, time.Duration(i)*100*time.Millisecond)
	}
	wantLeft(t, d, 500*time.Second, 500*time.Second)
}

// With one sample, from one look or after a restart, the attempt's start is the
// other one; not if something else came before.
func TestRateFromStart(t *testing.T) {
	look := func(output string) *jobs.Progress {
		return progress.Glance(jobs.ProgressRule{}, progress.Output{
			Head: []byte(output), WrittenAt: after(100 * time.Second), StartedAt: start,
		}, after(110*time.Second))
	}
	p := look("@progress 10%\n@progress 20%\n")
	want(t, p, 20, "", jobs.ProgressSaid)
	if p.ETA == nil || *p.ETA != 390*time.Second || p.ETASource != jobs.ETARate {
		t.Errorf("got %s, want 6m30s left", show(p))
	}
	for _, output := range []string{"@progress 0.1%\n", "@progress 90%\n@progress 20%\n"} {
		if p := look(output); p.ETA != nil {
			t.Errorf("%q: got %s", output, show(p))
		}
	}
	p = progress.Glance(jobs.ProgressRule{}, progress.Output{Head: []byte("@progress 20%"), WrittenAt: after(time.Minute)}, after(time.Minute+time.Second))
	if p == nil || p.ETA != nil {
		t.Errorf("without a start: got %s", show(p))
	}
}

// The tool's own word goes before the rate while it is fresh.
func TestToolBeforeRate(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	for i := range 11 {
		d.Write([]byte(fmt.Sprintf("\rx: %3d%%|##        | %d/100 [00:%02d<05:00,  1.00it/s]", i, i, i)), after(time.Duration(i)*10*time.Second))
	}
	p := d.Progress(after(110 * time.Second))
	if p.ETA == nil || *p.ETA != 290*time.Second || p.ETASource != "tqdm" {
		t.Errorf("fresh: got %s, want 4m50s left by tqdm", show(p))
	}
	wantLeft(t, d, 135*time.Second, 865*time.Second)
}

// At is when it last changed, not when it was last said.
func TestChangedAt(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	say(d, 10, time.Second)
	say(d, 20, 2*time.Second)
	say(d, 20, 3*time.Second)
	if p := d.Progress(after(time.Minute)); !p.At.Equal(after(2 * time.Second)) {
		t.Errorf("got %v, want 2 s", p.At.Sub(start))
	}
}
