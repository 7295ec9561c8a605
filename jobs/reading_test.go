package jobs_test

import (
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestSilence(t *testing.T) {
	start := time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	idle, busy := &jobs.Usage{CPU: 0.01}, &jobs.Usage{CPU: 3}
	for name, tt := range map[string]struct {
		reading jobs.Reading
		now     int // minutes since the start
		silence int
		stuck   bool
	}{
		"just now":                  {jobs.Reading{OutputAt: at(60), Usage: idle}, 69, 0, false},
		"ten minutes":               {jobs.Reading{OutputAt: at(60), Usage: idle}, 70, 10, true},
		"it works":                  {jobs.Reading{OutputAt: at(60), Usage: busy}, 107, 47, false},
		"it is not measured":        {jobs.Reading{OutputAt: at(60)}, 107, 47, true},
		"a tenth of a long run":     {jobs.Reading{OutputAt: at(600), Usage: idle}, 659, 0, false},
		"more than a tenth of it":   {jobs.Reading{OutputAt: at(600), Usage: idle}, 661, 61, true},
		"it never wrote anything":   {jobs.Reading{OutputAt: start, Usage: idle}, 11, 11, true},
		"its progress file says it": {jobs.Reading{OutputAt: start, Usage: idle, Progress: &jobs.Progress{Source: jobs.ProgressFile, At: at(60)}}, 65, 0, false},
		"a guess says nothing":      {jobs.Reading{OutputAt: start, Usage: idle, Progress: &jobs.Progress{Source: jobs.ProgressHistory, At: at(60)}}, 60, 60, true},
		"nothing is known":          {jobs.Reading{}, 60, 0, false},
	} {
		silence, stuck := tt.reading.Silence(start, at(tt.now))
		if silence != time.Duration(tt.silence)*time.Minute || stuck != tt.stuck {
			t.Errorf("%s: %v, %v; want %d min, %v", name, silence, stuck, tt.silence, tt.stuck)
		}
	}
}
