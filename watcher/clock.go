package watcher

import (
	"math"
	"os"
	"time"
)

// The clock on the wall may be set at any moment, and the times of files and
// those in the database are told by it. So all that is compared in memory is
// told by the clock that nobody can set, which time.Time carries along, and
// what comes from outside is brought to that one when it is read.

// began is the moment to which both clocks are tied.
var began = time.Now()

// millis gives a moment of this process for the database, in Unix ms. Two of
// them are as far apart as their moments are, whatever happened to the clock.
func millis(t time.Time) int64 { return began.Round(0).Add(t.Sub(began)).UnixMilli() }

// fromMillis gives the moment of which the database knows; at the latest now.
func fromMillis(ms int64) time.Time {
	then, now := began.Add(time.UnixMilli(ms).Sub(began.Round(0))), time.Now()
	return earlier(then, now)
}

// writtenAt is when the file was last written; at the latest now.
func writtenAt(info os.FileInfo) time.Time {
	now := time.Now()
	return now.Add(-max(0, now.Round(0).Sub(info.ModTime())))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// steadiness notices when the clock on the wall is set. Its zero value is ready.
type steadiness struct {
	ahead   time.Duration // of the clock on the wall, against the other one
	checked bool
	since   time.Time // when it was last seen to have been set; zero: never
}

// mostDrift is by how much a clock that is only corrected may go wrong between
// two looks.
const mostDrift = 100 * time.Millisecond

// check compares the clock on the wall with the time since began, both as they
// are now.
func (s *steadiness) check(wall time.Time, sinceBegan time.Duration) {
	ahead := wall.Round(0).Sub(began.Round(0).Add(sinceBegan))
	if s.checked && (ahead-s.ahead).Abs() > mostDrift {
		s.since = began.Add(sinceBegan)
	}
	s.ahead, s.checked = ahead, true
}

// span is for how long, until now, the clock on the wall was not set: what its
// times say of an age is true only up to that.
func (s *steadiness) span(now time.Time) time.Duration {
	s.check(now, now.Sub(began))
	if s.since.IsZero() {
		return math.MaxInt64
	}
	return now.Sub(s.since)
}
