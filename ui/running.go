package ui

import (
	"fmt"

	"jobrunner/jobs"
)

// runningView is the table of what runs.
type runningView struct {
	Note     string // how many of how many
	Rows     []runningRow
	MoreURL  string // "" if all are shown
	MoreText string
}

// runningRow is a job that runs and what is measured of it.
type runningRow struct {
	rowView
	For     string   // how long it has run
	Bar     *barView // nil if nothing is known
	CPU     string   // of all its processes, "" if it was not measured
	Memory  string
	Silence string // that it tells nothing, "" if it does
	Stuck   bool   // it may hang
}

func viewRunning(f *overviewFacts) runningView {
	all := f.stats.States[jobs.Running]
	v := runningView{Note: fmt.Sprint(all)}
	if f.status.MaxConcurrent > 0 {
		v.Note = fmt.Sprintf("%d of %d", all, f.status.MaxConcurrent)
	}
	for i, j := range f.running() {
		if i == maxRunning {
			v.MoreURL, v.MoreText = "/jobs?state=RUNNING", fmt.Sprintf("all %d", all)
			break
		}
		v.Rows = append(v.Rows, viewRunningRow(f, j))
	}
	return v
}

func viewRunningRow(f *overviewFacts, j *jobs.Job) runningRow {
	row := runningRow{rowView: viewRow(j, j.StartedAt, f.now)}
	row.What = fit(row.What, maxShort)
	if !j.StartedAt.IsZero() {
		row.For = calm(f.now.Sub(j.StartedAt))
	}
	r := f.readings[j.ID]
	if r == nil || r.Attempt != j.Attempt {
		return row
	}
	row.Bar = viewBar(r.Progress, f.now)
	if u := r.Usage; u != nil {
		row.CPU, row.Memory = fmt.Sprintf("%.0f %%", 100*u.CPU), jobs.RoughSize(u.Memory)
	}
	if silence, stuck := r.Silence(j.StartedAt, f.now); silence > 0 {
		row.Silence, row.Stuck = "no output for "+coarse(silence), stuck
	}
	return row
}
