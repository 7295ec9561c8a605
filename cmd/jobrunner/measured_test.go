//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

// However often the daemon is killed, the charts count each job that has ended
// once.
func TestSamplesSurviveKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": `
listen: ""
types:
  say: {command: [echo]}
  fail: {command: ["false"]}
`})
	counted := func(n int) func() error {
		return func() error {
			q := w.queue()
			defer q.Close()
			samples, err := q.Samples(t.Context(), time.Now().Add(-time.Hour))
			var completed, failed int
			for _, s := range samples {
				completed, failed = completed+s.Completed, failed+s.Failed
			}
			if err == nil && (completed != n || failed != n) {
				err = fmt.Errorf("%d COMPLETED and %d FAILED jobs are counted, want %d of each", completed, failed, n)
			}
			return err
		}
	}
	const daemons, each = 4, 5
	for n := range daemons {
		w.start()
		for range each {
			appendTo(w.path("job_queue.txt"), "say hello\nfail\n")
		}
		w.until("all have ended", func() error {
			if c := w.counts(); c[jobs.Completed]+c[jobs.Failed] != 2*each*(n+1) {
				return fmt.Errorf("%v", c)
			}
			return nil
		})
		if n%2 == 1 { // else it is killed before it has taken a sample
			w.until("all are counted", counted(each*(n+1)))
		}
		w.end(syscall.SIGKILL)
	}
	if err := counted(each * daemons)(); err != nil {
		t.Error(err)
	}
}

// What a job has shown of its progress, and what it took, is known in the end,
// although its daemon was killed meanwhile; of one that is over at once nothing
// is.
func TestMeasuredAcrossAKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": `
listen: ""
types:
  say: {command: [echo]}
  bar:
    command:
      - sh
      - -c
      - |
        for n in 1 7; do
          until [ -e go$n ]; do sleep 0.05; done
          printf '\r%d0%%|###   | %d/10 [00:07<00:03,  1.00it/s]' $n $n
        done
        until [ -e over ]; do sleep 0.05; done
`})
	w.start()
	short := strings.TrimSpace(w.run("add", "--wait", "say", "50%"))
	id := strings.TrimSpace(w.run("add", "bar"))
	w.write("go1", "")
	w.until("it prints", func() error { return holds(w, ".jobrunner/logs/"+id+".log", "10%") })
	w.end(syscall.SIGKILL)
	w.start()
	w.write("go7", "")
	w.until("it prints more", func() error { return holds(w, ".jobrunner/logs/"+id+".log", "70%") })
	w.until("it is measured", func() error {
		q := w.queue()
		defer q.Close()
		all, err := q.Readings(t.Context())
		if err == nil && all[id] == nil {
			err = fmt.Errorf("readings of %d jobs, not of this one", len(all))
		}
		return err
	})
	w.write("over", "")
	w.run("wait", id)
	type shown struct {
		State    jobs.State
		Progress *struct {
			Percent float64
			Source  string
			ETA     *float64 `json:"eta_seconds"`
		}
		Usage *struct {
			Peak int64 `json:"memory_peak_bytes"`
			CPU  float64
			Now  int64 `json:"memory_bytes"`
		}
	}
	show := func(id string) (s shown) {
		if err := json.Unmarshal([]byte(w.run("show", "--json", id)), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.until("it is stored", func() error {
		if s := show(id); s.Progress == nil {
			return fmt.Errorf("shown is %+v", s)
		}
		return nil
	})
	s := show(id)
	if s.State != jobs.Completed || s.Progress.Percent != 70 || s.Progress.Source != "tqdm" || s.Progress.ETA != nil {
		t.Errorf("it is %s, with %+v; want COMPLETED, and the 70 %% that were seen", s.State, s.Progress)
	}
	if s.Usage != nil && (s.Usage.CPU != 0 || s.Usage.Now != 0) {
		t.Errorf("it has ended and takes %+v", s.Usage)
	}
	if s := show(short); s.Progress != nil || s.Usage != nil {
		t.Errorf("of a job that was over at once: %+v", s)
	}
}
