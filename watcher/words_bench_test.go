package watcher

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jobrunner/jobs"
)

// longFile is a queue file of so many lines, as a look has left it.
func longFile(b *testing.B, n int) (*queueFile, *os.File) {
	b.Helper()
	q, err := newQueueFile(queueOptions{Path: filepath.Join(b.TempDir(), "job_queue.txt"), StateDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { q.Close() })
	f, err := os.Create(q.o.Path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	w := bufio.NewWriter(f)
	for i := range n {
		j := &jobs.Job{ID: idOf(i).String(), Target: "countdown.py", Args: []string{"25"}, State: jobs.Pending}
		line := formatViewLine([]byte(jobs.FormatLine(j)), q.end)
		l, _ := parseViewLine(line)
		l.start, l.placed, l.changed = q.end, time.Now(), time.Now()
		q.view.put(l)
		q.end += int64(len(line))
		w.Write(line)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return q, f
}

// A change of state is one small write, however long the file is.
func BenchmarkWord(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("lines=%d", n), func(b *testing.B) {
			q, f := longFile(b, n)
			b.ReportAllocs()
			for b.Loop() {
				l, _ := q.view.line(idOf(rand.IntN(n)))
				word := jobs.Running
				if l.word == word {
					word = jobs.Pending
				}
				q.setWord(l, word)
				q.writeWords(f)
			}
			if q.again || len(q.words) > 0 {
				b.Fatal("a word was not written")
			}
		})
	}
}

// A look through the whole file keeps others out of it while it reads.
func BenchmarkWholeLook(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("lines=%d", n), func(b *testing.B) {
			q, f := longFile(b, n)
			b.ReportAllocs()
			for b.Loop() {
				d := q.newDigest(0, 0)
				d.whole = true
				if _, err := d.read(f, q.end); err != nil || d.present.len() != n || d.moved {
					b.Fatalf("%d lines found, moved %v, %v", d.present.len(), d.moved, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/line")
		})
	}
}
