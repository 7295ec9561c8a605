package watcher

import (
	"iter"

	"github.com/google/uuid"
)

// sighted is what a look finds of the jobs' lines, held against the view that
// it began with: of most lines there is nothing to be said but that they stand
// where they stood. The view stays as it is until settle.
type sighted struct {
	base  *view
	seen  []uint64            // a bit for each slot of base
	spots []*[chunkLines]spot // what is otherwise than in base, by slot; nil where nothing is
	n     int                 // slots seen
	added *view               // lines that base does not have
}

// spot is how a line was found that is not as it was.
type spot struct {
	at     uint32
	length uint32
	word   uint8
	other  bool // it is otherwise than in the view
}

func newSighted(base *view) *sighted { return &sighted{base: base, added: newView()} }

// saw notes that the line of a slot stands as l.
func (s *sighted) saw(slot int, l viewLine) {
	if s.seen == nil {
		s.seen = make([]uint64, (s.base.len()+63)/64)
		s.spots = make([]*[chunkLines]spot, len(s.base.chunks))
	}
	s.seen[slot/64] |= 1 << (slot % 64)
	s.n++
	p := s.base.slot(slot)
	found := spot{uint32(l.at()), uint32(l.length - l.lead), wordNumber(l.word), true}
	if found == (spot{p.at, p.length, uint8(p.words), true}) {
		return
	}
	chunk := &s.spots[slot/chunkLines]
	if *chunk == nil {
		*chunk = new([chunkLines]spot)
	}
	(*chunk)[slot%chunkLines] = found
}

// put adds a line that the view does not have.
func (s *sighted) put(l viewLine) { s.added.put(l) }

func (s *sighted) isSeen(slot int) bool {
	return s.seen != nil && s.seen[slot/64]&(1<<(slot%64)) != 0
}

// at gives the packed line of a slot that was seen, as it stands now.
func (s *sighted) at(slot int) packedLine {
	p := *s.base.slot(slot)
	if chunk := s.spots[slot/chunkLines]; chunk != nil && chunk[slot%chunkLines].other {
		now := chunk[slot%chunkLines]
		p.at, p.length, p.words = now.at, now.length, p.words&^0xff|uint32(now.word)
	}
	return p
}

// line gives the line of a job as it stands now; false if there is none.
func (s *sighted) line(id uuid.UUID) (viewLine, bool) {
	slot := s.base.find(id)
	if slot < 0 {
		return s.added.line(id)
	}
	if !s.isSeen(slot) {
		return viewLine{}, false
	}
	p := s.at(slot)
	return p.unpack(), true
}

func (s *sighted) has(id uuid.UUID) bool {
	if slot := s.base.find(id); slot >= 0 {
		return s.isSeen(slot)
	}
	return s.added.has(id)
}

func (s *sighted) len() int { return s.n + s.added.len() }

// missing gives the slots of the lines that were not seen.
func (s *sighted) missing() (slots []int32) {
	for slot := range s.base.len() {
		if !s.isSeen(slot) {
			slots = append(slots, int32(slot))
		}
	}
	return slots
}

// add puts what is new into the view.
func (s *sighted) add() {
	for l := range s.added.all() {
		s.base.put(l)
	}
}

// settle makes the view what was found: all that was not is taken out.
func (s *sighted) settle() {
	for slot := s.base.len() - 1; slot >= 0; slot-- { // what takes a slot over was settled before
		if s.isSeen(slot) {
			s.base.set(slot, s.at(slot))
		} else {
			s.base.remove(s.base.slot(slot).id)
		}
	}
	s.add()
}

// lines gives the view's lines of those slots.
func (v *view) lines(slots []int32) iter.Seq[viewLine] {
	return func(yield func(viewLine) bool) {
		for _, s := range slots {
			if !yield(v.at(int(s))) {
				return
			}
		}
	}
}
