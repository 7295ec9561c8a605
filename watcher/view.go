package watcher

import (
	"hash/maphash"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// view is all the jobs' lines of the file. There may be a million of them, and
// they stay in memory for as long as the daemon runs. So each is a value of 36
// bytes without a pointer, which the garbage collector need not look at, in
// chunks that are never copied to grow; a line is found by its id through a
// table of slots with linear probing.
type view struct {
	chunks   []*[chunkLines]packedLine
	n        int
	table    []uint32 // of slots + 1 by hash; 0: free. Its length is a power of two
	finished int      // of the lines, those of ended jobs
}

const (
	chunkLines = 1024
	firstTable = 64
)

// packedLine is a viewLine as it is kept. What is not here stands in the file.
// Offsets fit: the file is no larger than maxFile.
type packedLine struct {
	id      uuid.UUID
	at      uint32 // of its text
	length  uint32 // of that, line end included
	placed  int32  // ticks
	changed int32  // ticks; never if it is not known
	words   uint32 // fingerprint of its text << 8 | number of its state word
}

// Times are kept in ticks since began, which are exact enough to tell what a
// tool can have seen: that is judged by seconds. They are rounded to where more
// lines are put back: when a line was placed to later, when its word was
// changed to earlier.
const (
	tick  = time.Second / 16
	never = math.MinInt32
)

func ticksAfter(t time.Time) int32 { return clampTicks(t.Sub(began) + tick - 1) }

func ticksBefore(t time.Time) int32 {
	if t.IsZero() {
		return never
	}
	return clampTicks(t.Sub(began))
}

func clampTicks(d time.Duration) int32 {
	n := d / tick
	if d < 0 && d%tick != 0 { // division rounds to zero
		n--
	}
	return int32(min(max(n, never+1), math.MaxInt32))
}

func fromTicks(n int32) time.Time {
	if n == never {
		return time.Time{}
	}
	return began.Add(time.Duration(n) * tick)
}

func newView() *view { return &view{} }

func (v *view) len() int { return v.n }

// slot gives the place in memory of slot s. Slots are 0 to len-1, in no order.
func (v *view) slot(s int) *packedLine { return &v.chunks[s/chunkLines][s%chunkLines] }

// at gives the line in slot s.
func (v *view) at(s int) viewLine { return v.slot(s).unpack() }

// line gives the line of a job; false if it has none.
func (v *view) line(id uuid.UUID) (viewLine, bool) {
	s := v.find(id)
	if s < 0 {
		return viewLine{}, false
	}
	return v.at(s), true
}

// has reports whether a job has a line.
func (v *view) has(id uuid.UUID) bool { return v.find(id) >= 0 }

// all gives every line. The view must not change meanwhile.
func (v *view) all() iter.Seq[viewLine] {
	return func(yield func(viewLine) bool) {
		for s := range v.n {
			if !yield(v.at(s)) {
				return
			}
		}
	}
}

// put adds the line, or replaces the one that its job had.
func (v *view) put(l viewLine) {
	s := v.find(l.id)
	if s < 0 {
		s = v.add(l.id)
	}
	v.set(s, l.pack())
}

// set makes p the line of a slot, which is its job's.
func (v *view) set(s int, p packedLine) {
	old := v.slot(s)
	if old.ended() {
		v.finished--
	}
	if p.ended() {
		v.finished++
	}
	*old = p
}

// remove takes out the line of a job, if it has one. The last line gets its slot.
func (v *view) remove(id uuid.UUID) {
	s := v.find(id)
	if s < 0 {
		return
	}
	if v.slot(s).ended() {
		v.finished--
	}
	last, hole := v.n-1, v.entry(id, s)
	if s != last {
		v.table[v.entry(v.slot(last).id, last)] = uint32(s + 1)
		*v.slot(s) = *v.slot(last)
	}
	*v.slot(last) = packedLine{}
	v.n--
	v.free(hole)
	if empty := len(v.chunks) - 1 - (v.n+chunkLines-1)/chunkLines; empty > 0 { // one is kept: the next line may come at once
		v.chunks = slices.Delete(v.chunks, len(v.chunks)-empty, len(v.chunks))
	}
}

// seed makes it impossible to choose ids that collide.
var seed = maphash.MakeSeed()

// home is where in the table an id is looked for first.
func (v *view) home(id uuid.UUID) int { return int(maphash.Bytes(seed, id[:])) & (len(v.table) - 1) }

// find gives the slot of a job's line, -1 if there is none.
func (v *view) find(id uuid.UUID) int {
	if v.n == 0 {
		return -1
	}
	for i := v.home(id); v.table[i] != 0; i = (i + 1) & (len(v.table) - 1) {
		if s := int(v.table[i] - 1); v.slot(s).id == id {
			return s
		}
	}
	return -1
}

// entry gives the place in the table that names slot s, which is that of id.
func (v *view) entry(id uuid.UUID, s int) int {
	i := v.home(id)
	for v.table[i] != uint32(s+1) {
		i = (i + 1) & (len(v.table) - 1)
	}
	return i
}

// add makes a slot for an id that has none.
func (v *view) add(id uuid.UUID) int {
	if 4*(v.n+1) > 3*len(v.table) {
		v.grow()
	}
	s := v.n
	if s/chunkLines == len(v.chunks) {
		v.chunks = append(v.chunks, new([chunkLines]packedLine))
	}
	v.n++
	*v.slot(s) = packedLine{id: id, words: uint32(wordNumber(jobs.Pending))}
	v.enter(id, s)
	return s
}

func (v *view) enter(id uuid.UUID, s int) {
	i := v.home(id)
	for v.table[i] != 0 {
		i = (i + 1) & (len(v.table) - 1)
	}
	v.table[i] = uint32(s + 1)
}

func (v *view) grow() {
	v.table = make([]uint32, max(firstTable, 2*len(v.table)))
	for s := range v.n {
		v.enter(v.slot(s).id, s)
	}
}

// free empties a place in the table, and moves up what was pushed behind it
// (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithm R).
func (v *view) free(hole int) {
	mask := len(v.table) - 1
	for i := (hole + 1) & mask; v.table[i] != 0; i = (i + 1) & mask {
		home := v.home(v.slot(int(v.table[i] - 1)).id)
		if (i-home)&mask >= (i-hole)&mask {
			v.table[hole] = v.table[i]
			hole = i
		}
	}
	v.table[hole] = 0
}

func (p *packedLine) ended() bool { return p.state().Ended() }

// state gives the line's state word, "" if it has none.
func (p *packedLine) state() jobs.State {
	if n := uint8(p.words); n > 0 {
		return jobs.States[n-1]
	}
	return ""
}

// wordNumber is that of a state in jobs.States, + 1; 0 if there is none.
func wordNumber(s jobs.State) uint8 { return uint8(slices.Index(jobs.States, s) + 1) }

func (l viewLine) pack() packedLine {
	return packedLine{
		id: l.id, at: uint32(l.at()), length: uint32(l.length - l.lead),
		words: l.text<<8 | uint32(wordNumber(l.word)), placed: ticksAfter(l.placed), changed: ticksBefore(l.changed),
	}
}

func (p *packedLine) unpack() viewLine {
	return viewLine{
		id: p.id, start: int64(p.at), length: int(p.length), text: p.words >> 8, word: p.state(),
		placed: fromTicks(p.placed), changed: fromTicks(p.changed),
	}
}
