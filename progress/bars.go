package progress

import (
	"strings"
	"time"
)

// maxBars is how many bars are followed at once.
const maxBars = 4

// bars follows the bars that tools draw. Of several that are alive the oldest is
// shown: it is the outer one, around the loops within.
type bars struct {
	startedAt time.Time // of the attempt
	list      []*bar    // oldest first
	started   int       // how many there ever were
	tools     toolState
}

// bar is one bar.
type bar struct {
	track
	name   string    // its label with digits
	kind   string    // its tool, label without digits and total
	seenAt time.Time // when it was last drawn
}

// line looks for a bar in a line.
func (b *bars) line(text []byte, redraw bool, at time.Time) {
	f, ok := b.tools.find(text, redraw)
	if !ok {
		return
	}
	it := b.find(f)
	if it == nil {
		it = b.open(at)
	}
	it.name, it.kind, it.seenAt = f.name(), f.kind(), at
	it.update(f.reading, at)
}

// find gives the bar that was found again: one of the same label, or one of the
// same kind that has come to its end and begins anew.
func (b *bars) find(f finding) *bar {
	name, kind := f.name(), f.kind()
	var ended *bar
	for _, it := range b.list {
		if it.name == name && it.kind == kind {
			return it
		}
		if it.kind == kind && (it.fraction >= 1 || f.fraction < 0) {
			ended = it
		}
	}
	return ended
}

// open makes a new bar, in place of the one that was not drawn for longest if
// there are too many.
func (b *bars) open(at time.Time) *bar {
	it := &bar{}
	if b.started == 0 {
		it.startedAt = b.startedAt
	}
	b.started++
	if len(b.list) == maxBars {
		oldest := 0
		for i, other := range b.list {
			if other.seenAt.Before(b.list[oldest].seenAt) {
				oldest = i
			}
		}
		b.list = append(b.list[:oldest], b.list[oldest+1:]...)
	}
	b.list = append(b.list, it)
	return it
}

// shown gives the track to show; nil if there is none.
func (b *bars) shown() *track {
	var latest *bar
	for _, it := range b.list {
		if it.fraction >= 0 && it.fraction < 1 && b.alive(it) {
			return &it.track
		}
		if latest == nil || !it.seenAt.Before(latest.seenAt) {
			latest = it
		}
	}
	if latest == nil {
		return nil
	}
	return &latest.track
}

// alive reports whether a bar is still drawn. One that has not been for many of
// its usual gaps, while others were, was left unfinished.
func (b *bars) alive(it *bar) bool {
	for _, other := range b.list {
		if it.rate.gap > 0 && other.seenAt.Sub(it.seenAt) > max(2*maxGaps*it.rate.gap, 2*minSilence) {
			return false
		}
	}
	return true
}

// finding is what was found of a bar in a line.
type finding struct {
	reading
	label string
	total string // as it was written
}

func (f finding) name() string {
	return f.label
}

func (f finding) kind() string {
	return f.source + "\x00" + f.total + "\x00" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, f.label)
}
