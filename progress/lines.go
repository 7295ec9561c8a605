package progress

import "bytes"

// maxLine is how much of a line is looked at, in bytes.
const maxLine = 512

// sink takes what lines finds.
type sink interface {
	line(text []byte, how drawing)
	command(osc []byte)
}

// drawing is how a line was written.
type drawing struct {
	redraw bool // over itself
	last   bool // over another, and nothing is drawn over it
	part   bool // it has no end yet, and may go on
}

// lines cuts what a program wrote into lines, frees them of escape sequences,
// and tells which were drawn over themselves: by a carriage return, or by those
// commands to a terminal that do the same.
type lines struct {
	escapes
	text    [maxLine]byte
	length  int  // of text that is taken
	redrawn bool // the line began after a carriage return
	ended   bool // a carriage return came; the next byte tells whether it is half of a CRLF
	peeked  bool // the line was handed out as it is
	gap     bool // what comes up to the next end of a line is the rest of one that was not read
}

// write takes a piece. Whole lines of plain text are handed out where they lie,
// everything else by way of l.text.
func (l *lines) write(p []byte, to sink) {
	marks := marks{p: p}
	for i := 0; i < len(p); {
		switch {
		case l.state != ground:
			i += l.escape(p[i], to)
		case p[i] == '\n':
			l.end(l.text[:l.length], to)
			i++
		case p[i] == '\r':
			l.ended = true
			i++
		case p[i] == esc:
			l.state = escaped
			i++
		default:
			i = l.plain(p, i, marks.after(i), to)
		}
	}
}

// plain takes p[i:end], which holds no end of a line and no escape sequence,
// and tells how far that took it.
func (l *lines) plain(p []byte, i, end int, to sink) int {
	l.settle(to)
	text := p[i:min(end, i+maxLine)]
	if l.length == 0 && end < len(p) && p[end] == '\n' {
		l.end(text, to)
		return end + 1
	}
	l.add(text)
	return end
}

// settle ends a line at the carriage return that came last, if one did.
func (l *lines) settle(to sink) {
	if l.ended {
		l.redraw(to)
	}
}

// redraw ends a line over which the next one is drawn.
func (l *lines) redraw(to sink) {
	l.handOut(l.text[:l.length], drawing{redraw: true}, to)
	l.redrawn = true
}

// end ends a line for good.
func (l *lines) end(text []byte, to sink) {
	l.handOut(text, drawing{redraw: l.redrawn, last: l.redrawn}, to)
	l.redrawn = false
}

func (l *lines) handOut(text []byte, how drawing, to sink) {
	if len(text) > 0 && !l.gap {
		to.line(text, how)
	}
	l.gap, l.ended, l.peeked = false, false, false
	l.length = 0
}

func (l *lines) add(text []byte) {
	l.length += copy(l.text[l.length:], text)
	l.peeked = false
}

// peek hands out the line that has no end yet, if it is drawn over itself or
// stands still.
func (l *lines) peek(to sink, still bool) {
	how := drawing{redraw: l.ended || l.redrawn, part: !still}
	if l.length == 0 || l.peeked || l.gap || !how.redraw && !still {
		return
	}
	to.line(l.text[:l.length], how)
	l.peeked = !how.part
}

// skip forgets the unfinished line and the rest of the one that comes.
func (l *lines) skip() {
	l.length, l.state = 0, ground
	l.redrawn, l.ended, l.peeked = false, false, false
	l.gap = true
}

// marks finds the bytes that end a run of plain text. Each byte of p is looked
// at once for each of them, however many runs there are.
type marks struct {
	p    []byte
	next [3]int // where each comes next; behind it nothing is known
}

var markBytes = [3]byte{'\n', '\r', esc}

// after gives the place of the first mark at or behind i; len(p) if there is
// none.
func (m *marks) after(i int) int {
	first := len(m.p)
	for k, c := range markBytes {
		if m.next[k] < i || m.next[k] == 0 {
			m.next[k] = len(m.p)
			if at := bytes.IndexByte(m.p[i:], c); at >= 0 {
				m.next[k] = i + at
			}
		}
		first = min(first, m.next[k])
	}
	return first
}
