package ui

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"io"
	"net/url"
	"strconv"

	"jobrunner/jobs"
)

// logTeller finds the part of an output that is asked for and says what it is.
type logTeller struct {
	view  *logPageView
	ask   logAsk
	index *lineIndex

	log  *jobs.View
	part logPart
	near int64 // the byte whose line is marked; -1: none
	base int64 // lines before the part; -1: not known
}

// tell fills the view in.
func (t *logTeller) tell(out *jobs.Output) error {
	var err error
	t.near = -1
	if t.log, err = t.index.look(out); err != nil {
		return err
	}
	if t.ask.words != nil {
		return t.search()
	}
	if err = t.find(); err != nil {
		return err
	}
	t.base = -1
	if ends, ok := t.index.before(t.log, t.part.From); ok {
		t.base = ends
	}
	t.show()
	t.ways()
	return nil
}

// find gives the part that is asked for; the last one if nothing is.
func (t *logTeller) find() (err error) {
	size, ask := t.log.Size(), t.ask
	switch {
	case ask.line >= 0:
		return t.findLine()
	case ask.percent >= 0:
		t.part, err = partNear(t.log, size/100*min(ask.percent, 100), size, partHTML)
	case ask.near >= 0:
		t.near = min(ask.near, max(0, size-1))
		t.part, err = partNear(t.log, t.near, size, partHTML)
	case ask.from >= 0 && ask.from <= size, ask.to == 0:
		from, errFrom := lineAt(t.log, max(0, ask.from))
		if errFrom != nil {
			return errFrom
		}
		t.part, err = partFrom(t.log, from, size, partHTML)
	case ask.to >= 0 && ask.to < size:
		to, errTo := lineAt(t.log, ask.to)
		if errTo != nil {
			return errTo
		}
		t.part, err = partTo(t.log, to, partHTML)
	default:
		t.part, err = partTo(t.log, size, partHTML)
	}
	return err
}

// lineAt gives where the line begins that a place is in, or that place if it is
// far within one.
func lineAt(log io.ReaderAt, at int64) (int64, error) {
	begin, found, err := (&upward{log: log}).begin(at, lineShown)
	if err == nil && !found {
		begin = alignRune(log, at)
	}
	return begin, err
}

// findLine gives the part around a line, as far as lines are counted.
func (t *logTeller) findLine() (err error) {
	size := t.log.Size()
	at, ok := t.index.begin(t.log, t.ask.line)
	counted, ends := t.index.done()
	switch {
	case ok && (at < size || size == 0):
		t.near = at
	case counted >= size:
		t.view.Note = fmt.Sprintf("There is no line %s: this is the end.", grouped(t.ask.line))
		t.part, err = partTo(t.log, size, partHTML)
		return err
	default:
		t.view.Again, at = true, counted
		t.view.Note = fmt.Sprintf("Line %s is not found yet: the first %s lines are counted, %d %% of the log.", grouped(t.ask.line), grouped(ends), percentOf(counted, size))
	}
	t.part, err = partNear(t.log, at, size, partHTML)
	return err
}

// search gives the lines that have what is searched for.
func (t *logTeller) search() error {
	size, to := t.log.Size(), t.ask.to
	if to < 0 || to > size {
		to = size
	}
	hits, from, err := searchBack(t.log, to, t.ask.words)
	if err != nil {
		return err
	}
	if t.part, err = partOfHits(t.log, size, hits, t.ask.words, partHTML); err != nil {
		return err
	}
	if left := len(hits) - len(t.part.rows); left > 0 {
		from = hits[left].from
	}
	t.number()
	t.show()
	v := t.view
	v.Size = jobs.RoughSize(size)
	v.Where = fmt.Sprintf("%d lines found", len(t.part.rows))
	if len(t.part.rows) == 1 {
		v.Where = "1 line found"
	}
	if from > 0 {
		v.Block.More = &linkView{t.url(url.Values{"to": {strconv.FormatInt(from, 10)}}), "Search the " + jobs.RoughSize(from) + " before"}
	}
	if len(t.part.rows) == 0 {
		v.Nothing = "No such line."
		if from > 0 {
			v.Nothing = "No such line in the last " + jobs.RoughSize(size-from) + "."
		}
	}
	return nil
}

// number gives the rows of lines that lie apart their numbers, if all are known.
func (t *logTeller) number() {
	t.base = 0
	var ends, at int64 // line ends before that place
	for i := range t.part.rows {
		r := &t.part.rows[i]
		ok := false
		if r.from-at < countBlock && i > 0 {
			_, err := eachBlock(t.log, at, r.from, func(b []byte, _ int64) bool {
				ends += int64(bytes.Count(b, []byte{'\n'}))
				return true
			})
			ok = err == nil
		} else {
			ends, ok = t.index.before(t.log, r.from)
		}
		if !ok {
			t.base = -1
			return
		}
		r.line, at = ends, r.from
	}
}

// show puts the rows into the view.
func (t *logTeller) show() {
	n := numbered{page: html.EscapeString(t.view.Base), base: t.base, near: t.near}
	b := &t.view.Block
	b.From, b.To, b.Size, b.Rows = t.part.From, t.part.To, t.log.Size(), t.part.html(n)
}

// ways says which part is shown and how to come to others.
func (t *logTeller) ways() {
	v, p, size := t.view, t.part, t.log.Size()
	counted, ends := t.index.done()
	v.Size = jobs.RoughSize(size)
	switch whole := counted >= size; {
	case size == 0:
		v.Nothing = "It has written nothing yet."
		if v.Block.Ended {
			v.Nothing = "It wrote nothing."
		}
	case len(p.rows) == 0:
		v.Where = "behind the last line"
	case t.base >= 0 && p.To == size && !v.Block.Ended:
		v.Where = "from line " + grouped(t.base+1) + " on"
	case t.base >= 0:
		v.Where = fmt.Sprintf("lines %s – %s", grouped(t.base+1), grouped(t.base+p.rows[len(p.rows)-1].line+1))
		if whole && p.To < size {
			v.Where += " of " + grouped(ends+t.open())
		}
	default:
		v.Where = fmt.Sprintf("from byte %s on", grouped(p.From))
		v.Note = cmp.Or(v.Note, fmt.Sprintf("Lines have no numbers here yet: they are counted for %d %% of the log, and further with each look.", percentOf(counted, size)))
	}
	link := func(words, key string, at int64) {
		v.Links = append(v.Links, linkView{t.url(url.Values{key: {strconv.FormatInt(at, 10)}}), words})
	}
	if p.From > 0 {
		link("First", "from", 0)
		link("Older", "to", p.From)
	}
	if p.From > 0 || p.To < size {
		for _, percent := range []int64{25, 50, 75} {
			v.Links = append(v.Links, linkView{t.url(url.Values{"line": {fmt.Sprintf("%d%%", percent)}}), fmt.Sprintf("%d %%", percent)})
		}
	}
	if p.To < size {
		link("Newer", "from", p.To)
		v.Links = append(v.Links, linkView{t.url(nil), "Last"})
	}
}

// open is 1 if the log's last line has no end yet.
func (t *logTeller) open() int64 {
	last := make([]byte, 1)
	if _, err := t.log.ReadAt(last, t.log.Size()-1); err == nil && last[0] != '\n' {
		return 1
	}
	return 0
}

// url is the address of another part.
func (t *logTeller) url(query url.Values) string {
	if query == nil {
		query = url.Values{}
	}
	if t.view.Attempt != "" {
		query.Set("attempt", t.view.Attempt)
	}
	switch {
	case t.ask.grep != "":
		query.Set("grep", t.ask.grep)
	case t.ask.words != nil:
		query.Set("errors", "1")
	}
	return "?" + query.Encode()
}

// percentOf is how much part is of whole, in whole per cent.
func percentOf(part, whole int64) int64 { return int64(100 * float64(part) / float64(max(1, whole))) }

// grouped writes a number in groups of three: 48,201.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
