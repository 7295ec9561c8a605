package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"jobrunner/jobs"
)

// mixed fills a queue with PENDING jobs of which a quarter each is held, waits
// for its time, waits for other jobs, and may start.
func mixed(b *testing.B, q *jobs.Queue, n int) {
	b.Helper()
	var last string
	for done := 0; done < n; {
		var entries []jobs.Entry
		for range min(5000, n-done) {
			j := pendingJob()
			j.Priority = rand.IntN(2001) - 1000
			e := jobs.Entry{Job: j}
			switch done % 4 {
			case 0:
				j.Hold = true
			case 1:
				j.NotBefore = time.Now().Add(time.Hour + time.Duration(rand.IntN(1e6))*time.Second)
			case 2:
				if last != "" {
					e = asks(j, last)
				}
			case 3:
				last = j.ID
			}
			done++
			entries = append(entries, e)
		}
		take(b, q, entries...)
	}
}

func BenchmarkNextOfMixed(b *testing.B) {
	q, _ := openQueue(b)
	mixed(b, q, 100_000)
	for b.Loop() {
		found, err := q.Next(bg, map[string]int{"train": 4, "b": 4}, 4)
		if err != nil || len(found) != 4 {
			b.Fatal(len(found), err)
		}
	}
}

// BenchmarkWakeOfMixed is the look when nothing is due.
func BenchmarkWakeOfMixed(b *testing.B) {
	q, _ := openQueue(b)
	mixed(b, q, 100_000)
	now := time.Now()
	for b.Loop() {
		if next, err := q.Wake(bg, now); err != nil || next.IsZero() {
			b.Fatal(next, err)
		}
	}
}

// BenchmarkLifeOfMixed starts and ends what comes next, each of which lets
// another job start, in a queue that stays as long.
func BenchmarkLifeOfMixed(b *testing.B) {
	q, _ := openQueue(b)
	mixed(b, q, 100_000)
	for b.Loop() {
		j := pendingJob()
		j.Priority = 1000
		take(b, q, asks(j), asks(pendingJob(), j.ID))
		next, err := q.Next(bg, map[string]int{"train": 1}, 1)
		if err != nil || len(next) != 1 {
			b.Fatal(len(next), err)
		}
		if _, err := q.Begin(bg, []jobs.Start{{ID: next[0].ID, Attempt: 1}}); err != nil {
			b.Fatal(err)
		}
		if ok, err := q.End(bg, next[0].ID, 1, jobs.Ending{State: jobs.Completed}); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

// BenchmarkEndOfMany ends a job on which 100,000 others depend, each on it or
// each on the one before.
func BenchmarkEndOfMany(b *testing.B) {
	const n = 100_000
	for name, on := range map[string]func(entries []jobs.Entry) string{
		"fan":   func(e []jobs.Entry) string { return e[0].Job.ID },
		"chain": func(e []jobs.Entry) string { return e[len(e)-1].Job.ID },
	} {
		for _, state := range []jobs.State{jobs.Completed, jobs.Failed} {
			b.Run(fmt.Sprintf("%s/%s", name, state), func(b *testing.B) {
				b.ReportMetric(n, "jobs")
				for range b.N {
					b.StopTimer()
					q, _ := openQueue(b)
					entries := []jobs.Entry{asks(pendingJob())}
					for len(entries) < n {
						entries = append(entries, asks(pendingJob(), on(entries)))
					}
					begin := time.Now()
					take(b, q, entries...)
					b.ReportMetric(time.Since(begin).Seconds(), "s/accept")
					start(b, q, entries[0].Job.ID)
					b.StartTimer()
					if ok, err := q.End(bg, entries[0].Job.ID, 1, jobs.Ending{State: state}); !ok || err != nil {
						b.Fatal(ok, err)
					}
				}
			})
		}
	}
}
