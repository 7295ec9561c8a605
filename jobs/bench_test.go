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
