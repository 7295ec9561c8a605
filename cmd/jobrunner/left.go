package main

import (
	"fmt"
	"time"

	"jobrunner/jobs"
)

// timeLeft says how much time is left. What rests on earlier runs alone has a
// tilde. "" if it is not known.
func timeLeft(p *jobs.Progress) string {
	if p == nil || p.ETA == nil {
		return ""
	}
	left := "0s" // it should have ended by now
	if *p.ETA >= time.Second {
		left = fromNow(*p.ETA)
	}
	if p.ETASource == jobs.ProgressHistory {
		left = "~" + left
	}
	return left
}

// timeOver says when it is over; "" if that is not known.
func timeOver(s *screen, p *jobs.Progress, now time.Time) string {
	if p == nil || p.ETA == nil {
		return ""
	}
	return clock(s, now.Add(*p.ETA), now)
}

// clock writes a time to come: on a terminal as short as it can be told.
func clock(s *screen, t, now time.Time) string {
	local := t.Local()
	switch far := t.Sub(now).Abs(); {
	case !s.terminal():
		return instant(t)
	case far < 20*time.Hour:
		return local.Format("15:04")
	case far < 6*24*time.Hour:
		return local.Format("Mon 15:04")
	}
	return local.Format("2 Jan")
}

// silence says for how long a running job has told nothing, if that is worth a
// word; r is what was measured of it, nil if nothing was.
func silence(r *jobs.Reading, j *jobs.Job, now time.Time) string {
	if r == nil || j.State != jobs.Running {
		return ""
	}
	quiet, _ := r.Silence(j.StartedAt, now)
	if quiet == 0 {
		return ""
	}
	return "no output for " + inWords(quiet)
}

// stuck is silence, and whether the job may hang.
func stuck(r *jobs.Reading, j *jobs.Job, now time.Time) string {
	words := silence(r, j, now)
	if words == "" {
		return ""
	}
	if _, hangs := r.Silence(j.StartedAt, now); hangs {
		words += ", it may be stuck"
	}
	return words
}

// inWords writes a longer time in one unit: 47 min.
func inWords(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// processors writes how much of the processors is used: 310%.
func processors(u *jobs.Usage) string {
	if u == nil {
		return ""
	}
	return fmt.Sprintf("%.0f%%", 100*u.CPU)
}

// memory writes how much memory is used, in four letters: 9.1G.
func memory(u *jobs.Usage) string {
	if u == nil {
		return ""
	}
	value, units := float64(u.Memory)/(1<<10), "KMGTP"
	for value >= 999.5 && len(units) > 1 {
		value, units = value/(1<<10), units[1:]
	}
	if value < 9.95 && units[0] != 'K' {
		return fmt.Sprintf("%.1f%c", value, units[0])
	}
	return fmt.Sprintf("%.0f%c", value, units[0])
}

// usageWords says what a job takes, or of one that has ended, took.
func usageWords(j *jobs.Job) string {
	u := j.Usage
	switch {
	case u == nil:
		return ""
	case j.State == jobs.Running:
		return fmt.Sprintf("CPU %s (%s so far), memory %s (at most %s), %s",
			processors(u), span(u.CPUTime), jobs.RoughSize(u.Memory), jobs.RoughSize(u.PeakMemory), counted(u.Processes, "process", "processes"))
	}
	return fmt.Sprintf("CPU time %s, memory at most %s", span(u.CPUTime), jobs.RoughSize(u.PeakMemory))
}
