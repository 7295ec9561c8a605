package jobs_test

import (
	"sync/atomic"
	"testing"

	"jobrunner/jobs"
)

// BenchmarkAcceptOne takes single jobs in from many goroutines; each waits for
// the disk, and they share its fsyncs.
func BenchmarkAcceptOne(b *testing.B) {
	q, _ := openQueue(b)
	b.SetParallelism(50)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: pendingJob()}}}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func fill(b testing.TB, q *jobs.Queue, n int) []*jobs.Job {
	b.Helper()
	var all []*jobs.Job
	for len(all) < n {
		list := make([]*jobs.Job, min(5000, n-len(all)))
		for i := range list {
			list[i] = pendingJob()
			list[i].Priority = i % 7
		}
		all = append(all, accept(b, q, list...)...)
	}
	return all
}

func BenchmarkNext(b *testing.B) {
	q, _ := openQueue(b)
	fill(b, q, 100_000)
	for b.Loop() {
		found, err := q.Next(bg, map[string]int{"train": 4, "b": 4}, 4)
		if err != nil || len(found) != 4 {
			b.Fatal(len(found), err)
		}
	}
}

// BenchmarkTransition takes jobs from PENDING to RUNNING from many goroutines.
func BenchmarkTransition(b *testing.B) {
	q, _ := openQueue(b)
	list := fill(b, q, b.N)
	var next atomic.Int64
	b.SetParallelism(50)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			j := list[next.Add(1)-1]
			begun, err := q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: 1}})
			if err != nil || len(begun) != 1 {
				b.Error(len(begun), err)
				return
			}
		}
	})
}

// BenchmarkTurn ends a job and begins the next one, one after the other: what a
// job of milliseconds costs the queue after it was taken in.
func BenchmarkTurn(b *testing.B) {
	q, _ := openQueue(b)
	const rows = 20_000
	var waiting int
	var running *jobs.Job
	code := 0
	b.ReportAllocs()
	for b.Loop() {
		if waiting == 0 {
			b.StopTimer()
			fill(b, q, rows)
			waiting = rows
			b.StartTimer()
		}
		var ends []jobs.Finish
		if running != nil {
			ends = []jobs.Finish{{
				ID: running.ID, Attempt: 1,
				Start: &jobs.StartInfo{
					Process: jobs.ProcessID{PID: 4711, Start: "123456", Boot: "1f6ef1d8-6bb0-4d0b-9f40-3a36c44ccdd4"},
					Command: []string{"/usr/bin/python3", "-u", "countdown.py", "25"}, Log: "logs/" + running.ID + ".log",
				},
				Ending: jobs.Ending{State: jobs.Completed, Reason: "exit 0", ExitCode: &code},
			}}
		}
		_, begun, err := q.Turn(bg, ends, func(next jobs.NextFunc) ([]jobs.Start, error) {
			found, err := next(map[string]int{"train": 1}, 1)
			if err != nil || len(found) != 1 {
				return nil, err
			}
			return []jobs.Start{{ID: found[0].ID, Attempt: 1, Instance: "1f6ef1d8-6bb0-4d0b-9f40-3a36c44ccdd4"}}, nil
		})
		if err != nil || len(begun) != 1 {
			b.Fatal(len(begun), err)
		}
		running, waiting = begun[0], waiting-1
	}
}
