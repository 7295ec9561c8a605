package ui

import (
	"context"
	"fmt"
	"net/url"

	"jobrunner/jobs"
)

// maxKin is how many jobs of the same type are shown.
const maxKin = 20

// kinView is how the latest jobs of a job's type came out.
type kinView struct {
	Type  string
	URL   string // of its jobs
	Words string
	Runs  []kinRun // oldest first
	Took  chart
}

type kinRun struct {
	ID    string
	State stateView
	Took  string
	Self  bool // it is the job whose page this is
}

// viewKin gives nil if no job of j's type has ended.
func (s *server) viewKin(ctx context.Context, j *jobs.Job) (*kinView, error) {
	if j.Type == "" {
		return nil, nil
	}
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := s.Queue.RunsOf(ctx, j.Type, stats.Types[j.Type])
	if err != nil || len(runs.Latest) == 0 {
		return nil, err
	}
	v := &kinView{Type: clean(j.Type, maxType), URL: "/jobs?" + url.Values{"type": {j.Type}}.Encode(), Words: figureWords(runs)}
	latest := runs.Latest[:min(len(runs.Latest), maxKin)]
	ok, bad := make([]float64, len(latest)), make([]float64, len(latest))
	for i := range latest {
		run := latest[len(latest)-1-i]
		v.Runs = append(v.Runs, kinRun{run.ID, viewState(run.State), duration(run.Took()), run.ID == j.ID})
		if took := run.Took().Seconds(); run.State == jobs.Completed {
			ok[i] = took
		} else {
			bad[i] = took
		}
	}
	v.Took = chart{
		Label:  fmt.Sprintf("How long the last %d took, the latest on the right", len(latest)),
		Height: 24, Layers: []layer{{Shape: bars, Class: "c-ok", Values: ok}, {Shape: bars, Class: "c-bad", Values: bad}},
	}
	return v, nil
}
