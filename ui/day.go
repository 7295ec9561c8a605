package ui

import (
	"context"
	"fmt"
	"time"

	"jobrunner/jobs"
)

const (
	dayLength = 24 * time.Hour
	dayBin    = 15 * time.Minute
	dayBins   = int(dayLength / dayBin)
	dayHigh   = 36 // height of its charts
)

// day is what the queue did in the last 24 hours.
type day struct {
	bins  [dayBins]jobs.Sample // the oldest first; the last one is not over
	begin time.Time
	sum   jobs.Sample // of all
	busy  float64     // places that were taken, of those that there were, 0…1
	known bool        // there is something to show
}

// join makes one of two samples: the most that waited and ran, and all that ended.
func join(a, b jobs.Sample) jobs.Sample {
	return jobs.Sample{
		Pending: max(a.Pending, b.Pending), Running: max(a.Running, b.Running), Slots: max(a.Slots, b.Slots),
		Completed: a.Completed + b.Completed, Failed: a.Failed + b.Failed, Cancelled: a.Cancelled + b.Cancelled,
	}
}

func (s *server) readDay(ctx context.Context, f *overviewFacts) error {
	begin := f.now.Truncate(dayBin).Add(dayBin - dayLength)
	samples, err := s.Queue.Samples(ctx, begin)
	if err != nil {
		return err
	}
	last, err := s.Queue.Uncounted(ctx)
	if err != nil {
		return err
	}
	last.At, last.Slots = f.now, f.status.MaxConcurrent
	last.Pending, last.Running = f.stats.States[jobs.Pending], f.stats.States[jobs.Running]
	f.day = newDay(begin, samples, last)
	return nil
}

// newDay sorts samples into bins; last is what goes on now.
func newDay(begin time.Time, samples []jobs.Sample, last jobs.Sample) *day {
	d := &day{begin: begin, known: len(samples) > 0}
	taken, first := 0, last.At
	for _, s := range append(samples, last) {
		i := int(s.At.Sub(begin) / dayBin)
		if s.At.Before(begin) || i >= dayBins {
			continue
		}
		d.bins[i], d.sum = join(d.bins[i], s), join(d.sum, s)
		if s.At.Before(first) {
			first = s.At
		}
		taken += s.Running
	}
	// Of stretches in which nothing ran there is no sample.
	if all := d.sum.Slots * (1 + int(last.At.Sub(first)/jobs.SamplePeriod)); all > 0 {
		d.busy = min(1, float64(taken)/float64(all))
	}
	return d
}

// dayView is the charts of the last day, and the same as numbers.
type dayView struct {
	Charts []chartView
	Hours  []hourView
}

// hourView is an hour in which something was: the most that waited and ran, and
// what ended.
type hourView struct {
	At  *timeView
	Sum jobs.Sample
}

func (d *day) view(f *overviewFacts) *dayView {
	if !d.known {
		return nil
	}
	v := &dayView{}
	var pending, running, completed, failed []float64
	for _, b := range d.bins {
		pending, running = append(pending, float64(b.Pending)), append(running, float64(b.Running))
		completed, failed = append(completed, float64(b.Completed)), append(failed, float64(b.Failed))
	}
	add := func(name, figure, note string, top float64, layers ...layer) {
		label := name + " in the last 24 hours: " + figure + " " + note
		v.Charts = append(v.Charts, chartView{
			Name: name, Figure: figure, Note: note, Chart: chart{Label: label, Height: dayHigh, Top: top, Layers: layers},
		})
	}
	add("Waiting", fmt.Sprint(f.stats.States[jobs.Pending]), fmt.Sprintf("now, most %d", d.sum.Pending), 0, layer{area, "c-wait", pending})
	add("Ended", fmt.Sprint(d.sum.Completed), fmt.Sprintf("completed, %d failed", d.sum.Failed), 0,
		layer{bars, "c-bad", failed}, layer{bars, "c-ok", completed})
	add("Busy", fmt.Sprintf("%.0f %%", 100*d.busy), fmt.Sprintf("of %d at once", d.sum.Slots), float64(d.sum.Slots), layer{area, "c-run", running})
	v.Charts[len(v.Charts)-1].From = "24 h ago" // which holds for those above it
	v.Hours = d.hours(f.now)
	return v
}

// hours are those in which something was, the latest first.
func (d *day) hours(now time.Time) []hourView {
	var out []hourView
	var hour time.Time
	for i := dayBins - 1; i >= 0; i-- {
		b := d.bins[i]
		if b == (jobs.Sample{Slots: b.Slots}) {
			continue
		}
		at := d.begin.Add(time.Duration(i) * dayBin).Truncate(time.Hour)
		if len(out) == 0 || !at.Equal(hour) {
			hour = at
			out = append(out, hourView{At: viewSoon(at, now)})
		}
		last := &out[len(out)-1]
		last.Sum = join(last.Sum, b)
	}
	return out
}
