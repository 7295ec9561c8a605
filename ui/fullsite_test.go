package ui_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// newFullSite is a site on which everything is to be seen that there can be; the
// first of the ids is of a job with output.
func newFullSite(t *testing.T) (*site, []string) {
	s := newSite(t)
	sweep := "3f2a91c0-0000-4000-8000-000000000000"
	failed := s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"a"}, Name: "nightly", Labels: map[string]string{"owner": "ada"},
		Group: sweep, Params: map[string]string{"lr": "0.1"}, Retries: 1, UniqueKey: "k", Timeout: time.Hour, Priority: 3})
	slots := map[string][]string{"gpu": {"0"}}
	info := jobs.StartInfo{Limits: "memory 1GiB", RunAs: "ada", Script: "abc"}
	s.startWith(failed, "RuntimeError: CUDA out of memory\n", info, slots)
	ending := exited(jobs.Failed, 1)
	ending.RetryAt = time.Now()
	s.end(failed, ending)
	failed.Attempt = 2
	s.startWith(failed, "RuntimeError: CUDA out of memory\n", info, slots)
	percent, eta := 42.0, 90*time.Second
	reading := jobs.Reading{Attempt: 2, OutputAt: time.Now(), Usage: &jobs.Usage{CPU: 1.5, CPUTime: time.Minute, Memory: 1 << 20, PeakMemory: 2 << 20, Processes: 3},
		Progress: &jobs.Progress{Percent: &percent, Text: "epoch 4/10", ETA: &eta, Source: "tqdm", ETASource: "tqdm", At: time.Now()},
		Series:   []jobs.Point{{At: time.Now(), CPU: 1.5, Memory: 1 << 20}}}
	if err := s.queue.KeepReadings(context.Background(), []jobs.Measured{{ID: failed.ID, Reading: &reading}}); err != nil {
		t.Fatal(err)
	}
	s.end(failed, exited(jobs.Failed, 1))
	killed := s.add(jobs.Job{})
	s.start(killed, "x")
	s.end(killed, jobs.Ending{State: jobs.Lost, Reason: "signal 9 (SIGKILL)", Signal: "SIGKILL"})
	running := s.add(jobs.Job{Type: "quick"})
	s.start(running, "50%\n")
	like := killed.ID[:35] + "f" // the same but for its end
	if like == killed.ID {
		like = killed.ID[:35] + "e"
	}
	waiting := filled(jobs.Job{ID: like, Hold: true, NotBefore: time.Now().Add(time.Hour)})
	out, err := s.queue.Accept(context.Background(), jobs.Intake{Entries: []jobs.Entry{
		{Job: waiting, Waits: []jobs.Wait{{On: running.ID}, {On: failed.ID, Any: true}}}}})
	if err != nil || out[0].Job.State != jobs.Pending {
		t.Fatal(out, err)
	}
	bad := s.add(jobs.Job{State: jobs.Rejected, Reason: "job_queue.txt:1: bad"})
	if _, err := s.queue.TakeSample(context.Background(), 2); err != nil {
		t.Fatal(err)
	}
	now := reading
	now.Attempt = 1
	s.opts.Readings = func() map[string]*jobs.Reading { return map[string]*jobs.Reading{running.ID: &now} }
	s.opts.Metrics = promhttp.Handler()
	s.describeDaemon(waiting.ID)
	return s, []string{failed.ID, killed.ID, running.ID, waiting.ID, bad.ID}
}

// describeDaemon gives the daemon all that there is to say of one.
func (s *site) describeDaemon(made string) {
	s.t.Helper()
	status := s.opts.Status()
	status.QueueFile, status.ConfigError = "job_queue.txt", "jobrunner.yaml:3:1: unknown key"
	status.Notes = append(status.Notes, ui.Note{Level: ui.Warn, Text: "a note"}, ui.Note{Text: "another"})
	status.Ignored = []ui.Ignored{{Name: "a.tmp", Why: "its name"}}
	s.opts.Status = func() ui.Status { return status }
	catalog := &jobs.Catalog{MaxConcurrent: 2, Types: map[string]*jobs.Type{
		"train": {Name: "train", Description: "trains", Command: []string{"true"}, MaxConcurrent: 1, Priority: 2, Timeout: time.Hour,
			MaxRetries: 1, Slots: map[string]int{"gpu": 1}, Env: map[string]string{"TOKEN": "hush-hush"}},
		"python": {Name: "python", Interpreter: []string{"python3", "-u"}, Scripts: "/x"},
	}}
	for name, every := range map[string]time.Duration{"often": time.Hour, "nightly": 0} {
		one := jobs.Schedule{Name: name, Every: every, Zone: time.UTC, CatchUp: jobs.CatchUpNone, Overlap: jobs.OverlapSkip,
			Request: &jobs.Request{Type: "train", Script: "a.py", Args: []string{"x"}, Name: "n", Priority: 1, Labels: map[string]string{"a": "b"}}}
		if every == 0 {
			one.Cron = "0 2 * * *"
		}
		catalog.Schedules = append(catalog.Schedules, one)
		now := time.Now()
		err := s.queue.PutSchedule(context.Background(), jobs.ScheduleState{
			Name: name, NextAt: now.Add(time.Minute), LastAt: now.Add(-time.Minute), Jobs: []string{made}})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	s.opts.Catalog = func() *jobs.Catalog { return catalog }
}
