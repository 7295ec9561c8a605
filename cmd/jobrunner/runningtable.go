package main

import (
	"fmt"
	"strings"
	"time"

	"jobrunner/jobs"
)

// runningTable shows jobs that run: how far each has come, how much time is
// left, and what it takes. What there is no room for on a narrow terminal stands
// below each. The first two heads are the table's title.
func runningTable(s *screen, running []*jobs.Job, measured map[string]*jobs.Reading, now time.Time) *table {
	t := &table{titled: true, flexible: map[int]int{}, below: map[int][]cell{}}
	for range running {
		t.rows = append(t.rows, nil)
	}
	column := func(head string, show func(j *jobs.Job) cell) int {
		t.head = append(t.head, head)
		for i, j := range running {
			t.rows[i] = append(t.rows[i], show(j))
		}
		return len(t.head) - 1
	}
	column("RUNNING", func(j *jobs.Job) cell { return marked(s, j) })
	t.flexible[column("JOB", func(j *jobs.Job) cell { return cell{text: title(j)} })] = 12
	percentHead := "PROGRESS"
	if s.terminal() {
		column(percentHead, func(j *jobs.Job) cell { return s.bar(j.Progress, s.wideBar()) })
		percentHead = ""
	}
	t.right = append(t.right, column(percentHead, func(j *jobs.Job) cell { return cell{text: fmt.Sprintf("%4s", orDash(percent(j.Progress)))} }))
	if s.roomy() {
		t.flexible[column("SAYS", func(j *jobs.Job) cell { return cell{text: orDash(says(j)), colour: dim} })] = 12
	}
	// The heads are as wide as their columns mostly get, so that these stay in place.
	left := column("LEFT  ", func(j *jobs.Job) cell { return cell{text: orDash(timeLeft(j.Progress))} })
	ends := column("ENDS ", func(j *jobs.Job) cell { return cell{text: orDash(timeOver(s, j.Progress, now))} })
	if s.roomy() {
		t.right = append(t.right, column("  TIME", func(j *jobs.Job) cell { return cell{text: ran(j, now)} }))
	}
	cpu := column(" CPU", func(j *jobs.Job) cell { return cell{text: orDash(processors(j.Usage))} })
	mem := column(" MEM", func(j *jobs.Job) cell { return cell{text: orDash(memory(j.Usage))} })
	t.right, t.spare = append(t.right, cpu, mem), []int{ends, cpu, mem, left}
	for i, j := range running {
		if !s.roomy() {
			words := strings.TrimSuffix("for "+ran(j, now)+s.separator+says(j), s.separator)
			t.below[i] = append(t.below[i], cell{text: words, colour: dim})
		}
		if quiet := stuck(measured[j.ID], j, now); quiet != "" {
			if s.terminal() {
				quiet = s.silent + " " + quiet
			}
			t.below[i] = append(t.below[i], cell{text: quiet, colour: yellow})
		}
	}
	return t
}

// says is what a job, or what is known of earlier runs, tells of its progress.
func says(j *jobs.Job) string {
	if j.Progress == nil {
		return ""
	}
	return jobs.Sanitize(j.Progress.Text)
}
