package watcher

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"jobrunner/jobs"
)

// What a line costs must not depend on how many there are.
func benchmarkView(b *testing.B, run func(b *testing.B, v *view, n int)) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("lines=%d", n), func(b *testing.B) {
			v := newView()
			for i := range n {
				v.put(lineOf(i, jobs.Pending))
			}
			b.ReportAllocs()
			b.ResetTimer()
			run(b, v, n)
		})
	}
}

func BenchmarkViewLine(b *testing.B) {
	benchmarkView(b, func(b *testing.B, v *view, n int) {
		for b.Loop() {
			if !v.has(idOf(rand.IntN(n))) {
				b.Fatal("it is not there")
			}
		}
	})
}

func BenchmarkViewPut(b *testing.B) {
	benchmarkView(b, func(b *testing.B, v *view, n int) {
		for b.Loop() {
			v.put(lineOf(rand.IntN(n), jobs.Running))
		}
	})
}

func BenchmarkViewAddAndRemove(b *testing.B) {
	benchmarkView(b, func(b *testing.B, v *view, n int) {
		for i := 0; b.Loop(); i++ {
			v.put(lineOf(n+i, jobs.Pending))
			v.remove(idOf(n + i))
		}
	})
}

func BenchmarkViewAll(b *testing.B) {
	benchmarkView(b, func(b *testing.B, v *view, n int) {
		for b.Loop() {
			for l := range v.all() {
				if l.word != jobs.Pending {
					b.Fatal("it is another one")
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/line")
	})
}
