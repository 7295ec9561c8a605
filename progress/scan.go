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
	hasFrame // what else begins a bar
	hasBox   // the first byte of the characters of boxes
)

var classes = func() (table [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		table[c] = hasDigit
	}
	table['%'] = hasPercent
	table['/'] = hasSlash
	table['['] = hasBracket
	for _, c := range "|(=#" {
		table[c] = hasFrame
	}
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
	if !ok || f.source == genericBar && b.doubtful(&f, at) {
		return
	}
	if whole, ok := b.scan.epochs.add(&f); ok {
		f = whole
	}
	b.draw(f, how.redraw, at)
}

// doubtful reports whether a percentage of which no tool is known is rather a
// part of what a known tool draws, or a word in between: what is written where a
// bar was, and stays, is its end only if the bar was named so.
func (b *bars) doubtful(f *finding, at time.Time) bool {
	named := false
	for _, it := range b.list {
		if it.source != genericBar && !it.weak && at.Sub(it.seenAt) < freshness {
			return true
		}
		named = named || it.source == genericBar && it.text == f.text
	}
	return f.echo && !named
}

// find looks for what known tools write, then for what any might.
func (s *scan) find(text []byte, class uint8, how drawing) (finding, bool) {
	if f, ok := s.known(text, class, how); ok || how.part {
		return f, ok
	}
	if class&hasPercent != 0 {
		if f, ok := generic(text, class, how); ok {
			return f, true
		}
	}
	return s.counter(text, class&hasSlash != 0)
}

// known looks for what known tools write.
func (s *scan) known(text []byte, class uint8, how drawing) (finding, bool) {
	if class&hasPercent != 0 {
		if f, ok := s.percents(text, how.part); ok {
			return f, true
		}
	}
	if f, ok := s.ffmpeg.find(text); ok {
		return f, true
	}
	var tools []tool
	switch first := text[0]; {
	case isDigit(first):
		tools = numberTools
	case first == '[':
		tools = bracketTools
	case first == 'B':
		tools = buildTools
	}
	if f, ok := s.tools(tools, text, how.part); ok {
		return f, true
	}
	if class&hasBox != 0 {
		if f, ok := s.tools(boxTools, text, how.part); ok {
			return f, true
		}
	}
	if class&hasBracket != 0 && text[len(text)-1] == ']' {
		return s.tools(rateTools, text, how.part)
	}
	return finding{}, false
}

// percents looks for what tools write that show percentages, by what stands
// behind the signs.
func (s *scan) percents(text []byte, part bool) (finding, bool) {
	for i := 1; i < len(text); i++ {
		at := bytes.IndexByte(text[i:], '%')
		if at < 0 {
			break
		}
		i += at
		if !isDigit(text[i-1]) {
			continue
		}
		var behind byte
		if i+1 < len(text) {
			behind = text[i+1]
		}
		if f, ok := s.tools(percentTools[behind], text, part); ok {
			return f, true
		}
	}
	return finding{}, false
}
