package ui

import (
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"jobrunner/jobs"
)

// Bounds of a part of a log.
const (
	partRows  = 1000
	partHTML  = 36 << 10  // bytes of the page
	rowHTML   = 8 << 10   // of which one row takes
	partFed   = 256 << 10 // bytes that are drawn
	partFar   = 32 << 20  // bytes of the log that are looked through
	numbering = 60        // bytes of HTML, about, that a row takes beside its text
)

// logPart is a part of a log as it is shown: whole rows.
type logPart struct {
	From, To int64 // the bytes that it shows
	rows     []shownRow
}

// shownRow is one row of it.
type shownRow struct {
	text  string // HTML
	from  int64  // where its line begins
	line  int64  // line ends between the part's first byte and it
	next  int64  // where the next row begins
	cut   bool   // its text is not all of its line
	bytes int64  // of the line
}

// partFrom gives what follows a place, where a line begins, in the log's first end
// bytes: as much as fits, and no more than html bytes of it.
func partFrom(log io.ReaderAt, from, end int64, html int) (logPart, error) {
	p := logPart{From: from, To: from}
	l := &lines{log: log, at: from, end: end}
	s := newScreen(from)
	s.pen = penAt(log, from)
	var done, size, fed int
	for done < partRows && size < html && fed < partFed && l.at-from < partFar {
		line, err := l.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return p, fmt.Errorf("reading log: %w", err)
		}
		s.feed(line.text)
		s.rows[s.y].rest = line.rest
		fed += len(line.text)
		if line.ended || line.next < end {
			s.end(line.next, line.ended)
		}
		for ; done < len(s.rows)-reach; done++ { // what is far above cannot be drawn over any more
			size += p.add(s.rows[done], s.rows[done+1].from)
		}
	}
	for ; done < len(s.rows) && !s.rows[done].fresh; done++ {
		next := l.at
		if done+1 < len(s.rows) {
			next = s.rows[done+1].from
		}
		p.add(s.rows[done], next)
	}
	p.keepFirst(html)
	return p, nil
}

// add takes a row in, and gives how much of the page it takes.
func (p *logPart) add(r screenRow, next int64) int {
	var b strings.Builder
	cut := r.html(&b, rowHTML)
	p.rows = append(p.rows, shownRow{b.String(), r.from, r.line, next, cut || r.rest > 0, next - r.from})
	p.To = next
	return b.Len() + numbering
}

// keepFirst leaves out the rows at its end that do not fit.
func (p *logPart) keepFirst(html int) {
	size := 0
	for i, r := range p.rows {
		if size += len(r.text) + numbering; i > 0 && size > html || i == partRows {
			p.rows, p.To = p.rows[:i], r.from
			return
		}
	}
}

// keepLast leaves out the rows at its beginning that do not fit, or are more than
// wanted.
func (p *logPart) keepLast(html, most int) {
	size := 0
	for i := len(p.rows) - 1; i >= 0; i-- {
		if size += len(p.rows[i].text) + numbering; i < len(p.rows)-1 && size > html || len(p.rows)-i > most {
			p.rows = p.rows[i+1:]
			p.From = p.rows[0].from
			for k, first := len(p.rows)-1, p.rows[0].line; k >= 0; k-- {
				p.rows[k].line -= first
			}
			return
		}
	}
}

// penAt is how letters are drawn at a place, as far as the last bytes before it
// tell.
func penAt(log io.ReaderAt, at int64) style {
	before := make([]byte, min(at, 4<<10))
	n, err := log.ReadAt(before, at-int64(len(before)))
	if err != nil && err != io.EOF {
		return 0
	}
	s := newScreen(0)
	s.feed(before[:n])
	return s.pen
}

// partTo gives what comes before a place, where a line begins or the log ends.
func partTo(log io.ReaderAt, to int64, html int) (logPart, error) {
	from, err := linesBack(log, to, partRows, html+html/4)
	if err != nil {
		return logPart{}, err
	}
	for {
		p, err := partFrom(log, from, to, 2*html)
		if err != nil || p.To >= to || p.To <= from {
			p.keepLast(html, partRows)
			return p, err
		}
		from = p.rows[len(p.rows)/2].next // more than was thought
	}
}

// linesBack goes back over lines from a place to where another one begins, as many
// as take about so much of a page.
func linesBack(log io.ReaderAt, at int64, most, html int) (int64, error) {
	start, size, fed := at, 0, 0
	u := upward{log: log}
	for n := 0; n <= most && size < html && fed < partFed && start > 0 && at-start < partFar; n++ {
		before, found, err := u.begin(start-1, lineFar)
		if err != nil {
			return 0, err
		}
		if !found { // a line without end: some of it has to do
			return alignRune(log, max(0, start-lineFed)), nil
		}
		long := int(min(start-before, lineFed))
		fed += long
		if size += min(long, lineShown) + numbering; size > html && start < at {
			break
		}
		start = before
	}
	return start, nil
}

// alignRune gives the first byte at a place or just behind it that begins a
// character.
func alignRune(log io.ReaderAt, at int64) int64 {
	b := make([]byte, utf8.UTFMax)
	n, err := log.ReadAt(b, at)
	if err != nil && err != io.EOF {
		return at
	}
	for i := range n {
		if utf8.RuneStart(b[i]) {
			return at + int64(i)
		}
	}
	return at
}

// partNear gives what is around a place, with more that follows it than comes
// before it.
func partNear(log io.ReaderAt, at, end int64, html int) (logPart, error) {
	begin, found, err := (&upward{log: log}).begin(at, lineFed)
	if err != nil {
		return logPart{}, err
	}
	if !found {
		begin = alignRune(log, max(0, at-200))
	}
	from, err := linesBack(log, begin, partRows/4, html/4)
	if err != nil {
		return logPart{}, err
	}
	p, err := partFrom(log, from, end, html)
	if err == nil && p.To <= at && begin > from { // what comes before takes more than was thought
		p, err = partFrom(log, begin, end, html)
	}
	return p, err
}

// numbered is how the rows of a log are named and linked.
type numbered struct {
	page string // address of the log's page, for links: "?" or "?attempt=1&amp;"
	base int64  // lines before the part; -1: not known
	near int64  // the row that has this byte is marked; -1: none
}

// html gives the rows with their numbers. Where lines are not counted so far, a
// row is named by the byte with which it begins.
func (p logPart) html(n numbered) template.HTML {
	var b strings.Builder
	for i, r := range p.rows {
		here := n.near >= r.from && (n.near < r.next || i == len(p.rows)-1)
		b.WriteString("<div")
		if n.base >= 0 {
			number := strconv.FormatInt(n.base+r.line+1, 10)
			fmt.Fprintf(&b, ` id="L%s"%s><a href="%sline=%s#L%s">%s</a>`, number, hereClass(here), n.page, number, number, number)
		} else {
			fmt.Fprintf(&b, `%s><a href="%snear=%d">@%d</a>`, hereClass(here), n.page, r.from, r.from)
		}
		b.WriteString(r.text)
		if r.cut {
			fmt.Fprintf(&b, ` <a class="rest" href="%sraw=1&amp;from=%d&amp;to=%d">… all of this line: %s</a>`, n.page, r.from, r.next, jobs.RoughSize(r.bytes))
		}
		b.WriteString("</div>\n")
	}
	return template.HTML(b.String())
}

func hereClass(here bool) string {
	if here {
		return ` class="here"`
	}
	return ""
}
