package progress

import (
	"slices"
	"strings"
	"time"
)

// maxBars is how many bars are followed at once.
const maxBars = 8

// bars follows the bars that tools draw. Of several that are alive the oldest is
// shown: it is the outer one, around the loops within, which begin anew again and
// again.
type bars struct {
	startedAt time.Time // of the attempt
	list      []*bar    // by when the round began in which each is
	draws     int       // how often any was drawn
	apart     string    // the kind of which there are several side by side, told from each other by their labels
	strangers int       // bars that were opened since one was drawn again
	scan      scan
}

// bar is one bar.
type bar struct {
	track
	name   string    // its label with digits
	names  []string  // the latest labels that it had before
	kind   string    // its tool, label without digits and total
	drawn  int       // which of all draws its last one was
	ended  int       // at which of them it came to its end; 0 if it has not
	missed int       // how often others of its kind were drawn since it was
	total  string    // as it was written last
	grown  bool      // it has grown, and the total has not
	weak   bool      // it does not count before it has grown
	seenAt time.Time // when it was last drawn
}

// finding is what was found of a bar in a line.
type finding struct {
	reading
	label  string // tells it from other bars of the tool
	counts string // "42/100", as far as it is part of the text; "" if it is not
	total  string // as it is written
	moves  bool   // the total may change while it is drawn
	weak   bool   // other lines look like that, too: it counts once it has grown
	echo   bool   // it counts only as the end of a bar that was seen
}

// kind is what stays the same when a loop begins anew.
func (f *finding) kind() string {
	total := f.total
	if f.moves {
		total = ""
	}
	return f.source + "\x00" + total + "\x00" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, f.label)
}

// draw takes a bar that was found.
func (b *bars) draw(f finding, redraw bool, at time.Time) {
	kind := f.kind()
	it := b.known(&f, kind, redraw)
	if it == nil {
		it = b.open(kind, f.label)
	} else if it.drawn == b.draws && it.fraction == f.fraction && it.text == f.text {
		it.seenAt = at
		it.update(f.reading, at) // the same line, which has got its end
		return
	}
	b.miss(it)
	if it.fall(f.fraction) {
		i := slices.Index(b.list, it)
		b.list = append(slices.Delete(b.list, i, i+1), it)
	}
	b.draws++
	it.drawn = b.draws
	it.redraw(&f, at)
}

// redraw takes what was found of the bar anew.
func (it *bar) redraw(f *finding, at time.Time) {
	if it.seen && f.fraction > it.fraction && f.total == it.total {
		it.grown = true
	}
	if it.seen && f.label != it.name {
		it.names = append(it.names[max(0, len(it.names)-maxBars+1):], it.name)
	}
	it.name, it.total, it.weak, it.seenAt = f.label, f.total, f.weak, at
	it.update(f.reading, at)
	if it.fraction < 1 {
		it.ended = 0
	} else if it.ended == 0 {
		it.ended = it.drawn
	}
}

// known gives the bar that is drawn again; nil if it is a new one. Labels tell of
// losses and times, so it may have another label than before, if it goes on where
// the bar was. One that falls behind under another label is the next round, or a
// second bar beside it: which of both, shows in whether the first is drawn again.
// Line by line there is but one bar of a kind.
func (b *bars) known(f *finding, kind string, redraw bool) *bar {
	var found *bar
	for _, it := range b.list {
		if it.kind != kind {
			continue
		}
		if it.name == f.label {
			b.strangers = 0
			return it
		}
		if redraw && f.fraction < it.fraction && slices.Contains(it.names, f.label) {
			b.apart, b.strangers = kind, 0
		}
		if !redraw || it.fraction < 0 || it.onItsWay() && it.fraction <= f.fraction {
			found = it
		}
	}
	if b.apart == kind {
		return nil
	}
	return found
}

// miss counts how often others of the kind were drawn since each bar was, and
// forgets those that were left unfinished.
func (b *bars) miss(drawn *bar) {
	same := 0
	for _, it := range b.list {
		if it.kind == drawn.kind {
			it.missed++
			same++
		}
	}
	drawn.missed = 0
	b.list = slices.DeleteFunc(b.list, func(it *bar) bool { return it.missed > same+1 })
}

// open makes a new bar, in place of another if there are too many. Of bars side
// by side the first by name is the first.
func (b *bars) open(kind, name string) *bar {
	it := &bar{kind: kind}
	if b.draws == 0 {
		it.startedAt = b.startedAt
	}
	if b.strangers++; b.strangers > maxBars {
		b.apart = ""
	}
	if len(b.list) == maxBars {
		i := b.superfluous(kind)
		b.list = slices.Delete(b.list, i, i+1)
	}
	place := slices.IndexFunc(b.list, func(other *bar) bool {
		return b.apart == kind && other.kind == kind && other.name > name
	})
	if place < 0 {
		place = len(b.list)
	}
	b.list = slices.Insert(b.list, place, it)
	return it
}

// superfluous gives the place of a bar that may go: one of the same kind, else
// one at its end, else another; of those the one that was not drawn for longest,
// but not the outermost.
func (b *bars) superfluous(kind string) int {
	rank := func(it *bar) int {
		switch {
		case it.kind == kind:
			return 0
		case !it.onItsWay():
			return 1
		}
		return 2
	}
	best := 1
	for i, it := range b.list {
		than := b.list[best]
		if r, s := rank(it), rank(than); i > 0 && (r < s || r == s && it.seenAt.Before(than.seenAt)) {
			best = i
		}
	}
	return best
}

// shown gives the track to show: the oldest that is on its way, else the oldest
// of those that were drawn last; nil if there is none.
func (b *bars) shown() *track {
	var latest *bar
	for i, it := range b.list {
		if it.weak && !it.grown {
			continue
		}
		if it.onItsWay() && b.alive(i) {
			return &it.track
		}
		if latest == nil || latest.drawn <= b.draws-len(b.list) && it.drawn > latest.drawn {
			latest = it
		}
	}
	if latest == nil {
		return nil
	}
	return &latest.track
}

func (it *bar) onItsWay() bool {
	return it.fraction >= 0 && it.fraction < 1
}

// alive reports whether a bar is still drawn. One that was not since one around
// it came to its end is over with that, and one that was not for many of its
// usual gaps, while others were, was left unfinished.
func (b *bars) alive(i int) bool {
	it := b.list[i]
	for _, outer := range b.list[:i] {
		if outer.ended > it.drawn {
			return false
		}
	}
	if it.rate.gap == 0 {
		return true
	}
	patience := max(2*maxGaps*it.rate.gap, 2*minSilence)
	return !slices.ContainsFunc(b.list, func(other *bar) bool { return other.seenAt.Sub(it.seenAt) > patience })
}
