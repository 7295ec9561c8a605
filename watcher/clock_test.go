package watcher

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// odd are times that files bear whose writers, or their clocks, are wrong.
func odd() []time.Time {
	now := time.Now()
	return []time.Time{time.Unix(0, 0), now.Add(24 * time.Hour), now.Add(-time.Hour), now.AddDate(20, 0, 0), time.Unix(1, 0)}
}

// Whatever time a file bears, it is taken at the second look, once it has settled.
func TestFilesOfOddTimes(t *testing.T) {
	y := newTray(t)
	for i, at := range odd() {
		name := fmt.Sprintf("a%d.yaml", i)
		y.put(y.in(name), goodText)
		if err := os.Chtimes(y.in(name), at, at); err != nil {
			t.Fatal(err)
		}
		again, err := y.box.scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if again > y.set.Settle {
			t.Errorf("file of %s: the next look is due in %s, settle is %s", at, again, y.set.Settle)
		}
		<-time.After(again)
		y.scan()
		if y.reply(name).State != "PENDING" {
			t.Errorf("file of %s is not taken after two looks", at)
		}
	}
}

// The queue file may bear any time too: what is appended is taken, and a line
// that is removed counts.
func TestQueueFileOfOddTimes(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	for i, at := range odd() {
		d.append(fmt.Sprintf("countdown.py 7%d\n", i))
		if err := os.Chtimes(d.path, at, at); err != nil {
			t.Fatal(err)
		}
		d.settled(4 + i)
	}
	d.write(d.without(ids[0]))
	ahead := time.Now().Add(24 * time.Hour)
	if err := os.Chtimes(d.path, ahead, ahead); err != nil {
		t.Fatal(err)
	}
	d.until("the job is cancelled", func() bool { return d.state(ids[0]) == jobs.Cancelled })
	for _, j := range d.jobs() {
		if j.State != jobs.Pending && j.ID != ids[0] {
			t.Errorf("job %s is %s: %s", j.ID, j.State, j.Reason)
		}
	}
	if strings.Contains(d.read(), ids[0]) {
		t.Error("the removed line is back")
	}
}

func TestMomentsOfTheDatabase(t *testing.T) {
	now := time.Now()
	for _, ago := range []time.Duration{0, time.Millisecond, time.Hour, 1000 * time.Hour} {
		then := now.Add(-ago)
		if d := then.Sub(fromMillis(millis(then))); d < 0 || d > time.Millisecond {
			t.Errorf("%s ago: wrong by %s", ago, d)
		}
	}
	if got := fromMillis(millis(now.Add(time.Hour))); got.After(time.Now()) {
		t.Errorf("a moment yet to come is %s", got)
	}
	if got := fromMillis(0); now.Sub(got) < 24*time.Hour {
		t.Errorf("1970 is %s", got)
	}
}

func TestSteadiness(t *testing.T) {
	at := func(real, wrong time.Duration) (time.Time, time.Duration) { return began.Add(real + wrong), real }
	for _, c := range []struct {
		name  string
		wrong []time.Duration // at one look a second
		want  time.Duration   // of the real time of the last step; 0: none
	}{
		{"never set", []time.Duration{0, 0, 0}, 0},
		{"wrong all along", []time.Duration{time.Hour, time.Hour, time.Hour}, 0},
		{"corrected", []time.Duration{0, time.Millisecond, 2 * time.Millisecond}, 0},
		{"set ahead", []time.Duration{0, 0, time.Hour, time.Hour}, 3 * time.Second},
		{"set back", []time.Duration{0, -time.Second, -time.Second}, 2 * time.Second},
		{"set twice", []time.Duration{0, time.Hour, time.Hour, 0}, 4 * time.Second},
	} {
		var s steadiness
		for i, wrong := range c.wrong {
			s.check(at(time.Duration(i+1)*time.Second, wrong))
		}
		var got time.Duration
		if !s.since.IsZero() {
			got = s.since.Sub(began)
		}
		if got != c.want {
			t.Errorf("%s: set at %s, want %s", c.name, got, c.want)
		}
	}
	var s steadiness
	if now := time.Now(); s.span(now) != math.MaxInt64 {
		t.Errorf("at the first look the clock was steady for %s only", s.span(now))
	}
}
