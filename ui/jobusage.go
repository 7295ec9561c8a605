package ui

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"jobrunner/jobs"
)

// usagePoints is how many values a chart of a job's usage has.
const usagePoints = 90

// usageView is what the processes of a job take, or took.
type usageView struct {
	Charts []chartView
	Words  string // beside them; "" if nothing was measured
}

// viewUsage shows the usage of j's latest attempt; r is what is measured of it
// while it runs, nil if nothing is.
func (s *server) viewUsage(ctx context.Context, j *jobs.Job, r *jobs.Reading, now time.Time) (usageView, error) {
	var v usageView
	if j.State != jobs.Running || r == nil || r.Attempt != j.Attempt {
		if j.StartedAt.IsZero() {
			return v, nil
		}
		var err error
		if r, err = s.Queue.Reading(ctx, j.ID, j.Attempt); errors.Is(err, jobs.ErrNotFound) {
			return v, nil
		} else if err != nil {
			return v, err
		}
	}
	u := r.Usage
	if u == nil {
		return v, nil
	}
	v.Words = "processor time " + duration(u.CPUTime)
	if j.State == jobs.Running {
		v.Words += fmt.Sprintf(", %d processes", u.Processes)
		if u.Processes == 1 {
			v.Words = "processor time " + duration(u.CPUTime) + ", 1 process"
		}
	}
	cpu := chartView{Name: "Processors", Chart: usageChart(r.Series, "c-run", 1, func(p jobs.Point) float64 { return p.CPU })}
	memory := chartView{Name: "Memory", Chart: usageChart(r.Series, "c-wait", 1.25*float64(u.PeakMemory), func(p jobs.Point) float64 { return float64(p.Memory) })}
	peak := "at most " + jobs.RoughSize(u.PeakMemory)
	if j.State == jobs.Running {
		cpu.Figure, memory.Figure, memory.Note = percentWords(u.CPU), jobs.RoughSize(u.Memory), peak
	} else {
		memory.Figure = peak
		if took := j.FinishedAt.Sub(j.StartedAt); took >= time.Second {
			cpu.Figure = percentWords(u.CPUTime.Seconds() / took.Seconds())
			cpu.Note = "on average"
		}
	}
	cpu.Chart.Label = "Processors in use over time, 100 % is one: " + cpu.Figure
	memory.Chart.Label = "Memory in use over time: " + memory.Figure
	v.Charts = []chartView{cpu, memory}
	return v, nil
}

func percentWords(processors float64) string { return fmt.Sprintf("%.0f %%", 100*processors) }

// usageChart draws values at equal distances in time, though they were measured
// at ever wider ones: of those that fall together the largest. Its upper edge is
// top, or the largest value.
func usageChart(points []jobs.Point, class string, top float64, of func(jobs.Point) float64) chart {
	values := make([]float64, min(usagePoints, len(points)))
	for i := range values {
		values[i] = math.NaN()
	}
	c := chart{Height: 40, Top: top, Layers: []layer{{Shape: area, Class: class, Values: values}}}
	if len(points) == 0 {
		return c
	}
	begin := points[0].At
	all := points[len(points)-1].At.Sub(begin) + 1
	for _, p := range points {
		i := int(float64(p.At.Sub(begin)) / float64(all) * float64(len(values)))
		i = min(max(i, 0), len(values)-1)
		if v := of(p); math.IsNaN(values[i]) || v > values[i] {
			values[i] = v
			c.Top = max(c.Top, v)
		}
	}
	for i := 1; i < len(values); i++ { // between two measurements it was as at the first
		if math.IsNaN(values[i]) {
			values[i] = values[i-1]
		}
	}
	return c
}

// silenceWords says for how long a running job has told nothing, if that is worth
// a word; r is what is measured of it, nil if nothing is.
func silenceWords(r *jobs.Reading, j *jobs.Job, now time.Time) string {
	if r == nil || j.State != jobs.Running || r.Attempt != j.Attempt {
		return ""
	}
	silence, stuck := r.Silence(j.StartedAt, now)
	switch {
	case silence == 0:
		return ""
	case stuck:
		return "no output for " + coarse(silence) + ", and it hardly uses a processor: it may be stuck"
	}
	return "no output for " + coarse(silence)
}
