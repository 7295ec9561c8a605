package meter

import (
	"time"

	"jobrunner/jobs"
)

const (
	mostPoints = 120             // of a series
	firstStep  = 2 * time.Second // between two points of a young one
)

// series is the usage of an attempt over time. When it has too many points, two
// neighbours become one, and the next points come half as often, so that it
// always spans all of the attempt.
type series struct {
	points []jobs.Point  // those that were given away are not changed
	step   time.Duration // least time between two points
}

// resume goes on with what an earlier daemon has stored.
func (s *series) resume(points []jobs.Point) {
	s.points, s.step = points, firstStep
	if n := len(points); n > mostPoints/2 {
		s.step = points[n-1].At.Sub(points[0].At) / time.Duration(n-1)
	}
}

// add adds a point, unless the one before it is too young.
func (s *series) add(p jobs.Point) {
	if s.step == 0 {
		s.step = firstStep
	}
	// A look may come a little early.
	if n := len(s.points); n > 0 && p.At.Sub(s.points[n-1].At) < s.step*9/10 {
		return
	}
	if len(s.points) >= mostPoints {
		s.points = halved(s.points)
		s.step *= 2
	}
	s.points = append(s.points, p)
}

// halved makes one point of every two: the mean of what they use of the
// processors, the larger of what they have in memory, at the later time.
func halved(points []jobs.Point) []jobs.Point {
	half := make([]jobs.Point, 0, mostPoints)
	for ; len(points) > 1; points = points[2:] {
		a, b := points[0], points[1]
		half = append(half, jobs.Point{At: b.At, CPU: (a.CPU + b.CPU) / 2, Memory: max(a.Memory, b.Memory)})
	}
	return append(half, points...)
}
