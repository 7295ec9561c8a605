package progress

import (
	"bytes"
	"time"
)

// What bytes a line has, as bits: enough to tell of most lines that they hold
// no progress.
const (
	hasDigit = 1 << iota
	hasPercent
	hasSlash
	hasBracket
	hasBox // the first byte of the characters of which bars are made
)

var classes = func() (table [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		table[c] = hasDigit
	}
	table['%'] = hasPercent
	table['/'] = hasSlash
	table['['] = hasBracket
	table[0xe2] = hasBox
	return table
}()

func classify(text []byte) uint8 {
	var all uint8
	for _, c := range text {
		all |= classes[c]
	}
	return all
}

// scan is what must be known of earlier lines to read the next one.
type scan struct {
	ffmpeg ffmpeg
	rsync  rsync
	epochs epochs
}

// line looks for a bar in a line.
func (b *bars) line(text []byte, how drawing, at time.Time) {
	class := classify(text)
	if class&hasDigit == 0 {
		return
	}
	f, ok := b.scan.find(text, class, how)
	if !ok || f.source == genericBar && b.drawn(at) { // then it is a part of what a known tool draws
		return
	}
	if whole, ok := b.scan.epochs.add(&f); ok {
		f = whole
	}
	b.draw(f, how.redraw, at)
}

// drawn reports whether a bar of a known tool was drawn just now.
func (b *bars) drawn(at time.Time) bool {
	for _, it := range b.list {
		if it.source != genericBar && at.Sub(it.seenAt) < freshness {
			return true
		}
	}
	return false
}

// find looks for what known tools write, then for what any might.
func (s *scan) find(text []byte, class uint8, how drawing) (finding, bool) {
	if class&hasPercent != 0 {
		if f, ok := s.tools(percentTools, text, how.part); ok {
			return f, true
		}
	}
	if f, ok := s.ffmpeg.find(text); ok {
		return f, true
	}
	if first := text[0]; first == '[' || isDigit(first) || class&hasBox != 0 || class&hasBracket != 0 && how.redraw {
		if f, ok := s.tools(otherTools, text, how.part); ok {
			return f, true
		}
	}
	if how.part {
		return finding{}, false
	}
	if class&hasPercent != 0 {
		if f, ok := generic(text, how.redraw); ok {
			return f, true
		}
	}
	if class&hasSlash != 0 || bytes.Contains(text, []byte(" of ")) {
		return s.counter(text)
	}
	return finding{}, false
}
