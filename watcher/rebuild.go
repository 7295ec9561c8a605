package watcher

import (
	"bytes"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// rebuild writes the end of the file anew: without the lines that go, and with
// the new ones at its end.
func (e *edit) rebuild(q *queueFile) {
	now := time.Now()
	e.new = make([]byte, 0, len(e.old)+len(e.placed)*80)
	e.lines = make([]viewLine, 0, bytes.Count(e.old, []byte{'\n'})+len(e.placed))
	add := func(l viewLine, text []byte) {
		l.start = e.from + int64(len(e.new))
		line := formatViewLine(text, l.start)
		l.length = len(line)
		l.lead = len(line) - 1 - len(text)
		e.lines = append(e.lines, l)
		e.new = append(e.new, line...)
	}
	waiting := q.waitingFrom(e.from)
	keep := func(at int64, raw []byte) {
		if len(e.waits) < len(waiting) && int64(waiting[len(e.waits)].at) == at {
			r, lead := waiting[len(e.waits)], leading(raw)
			r.at, r.lead = uint32(e.from)+uint32(len(e.new)+lead), min(r.lead, uint16(min(lead, mostLead)))
			e.waits = append(e.waits, r)
		}
		e.new = append(e.new, raw...)
	}
	rest := eachLine(e.old, e.from, func(start int64, raw []byte) {
		at := start + int64(leading(raw))
		if e.gone[at] > 0 {
			return
		}
		l, ok := parseViewLine(raw)
		if moved, ours := q.view.line(l.id); ok && ours && moved.at() == at {
			if text, full := fullWidth(raw, l); full {
				if word := q.words[l.id]; word != "" { // written later, it would be none of the plan's bytes
					text = concat(text[:len(text)-jobs.StateWidth], padded(word, jobs.StateWidth))
					moved.word, moved.changed = word, now
				}
				add(moved, text)
				return
			}
			moved.start, moved.length, moved.lead = e.from+int64(len(e.new)), l.length, l.lead
			e.lines = append(e.lines, moved)
		}
		keep(at, raw)
	})
	restAt := e.from + int64(len(e.old)-len(rest)+leading(rest))
	if e.gone[restAt] == 0 && len(trimSpace(rest)) > 0 {
		keep(restAt, rest) // a comment without a line end
	}
	if n := len(e.new); len(e.placed) > 0 && (n > 0 && e.new[n-1] != '\n' || n == 0 && q.openEnd(e)) {
		e.new = append(e.new, '\n')
	}
	for _, j := range e.placed {
		id, err := uuid.Parse(j.ID)
		if err != nil {
			continue // the database holds nothing else
		}
		add(viewLine{id: id, word: j.State, text: jobText(j), placed: now, changed: now}, []byte(jobs.FormatLine(j)))
	}
}

// openEnd reports whether what stands before the edit lacks a line end.
func (q *queueFile) openEnd(e *edit) bool {
	before := bytes.TrimRight(q.tail[:max(0, len(q.tail)-len(e.old))], " \t\x00")
	return len(before) > 0 && before[len(before)-1] != '\n'
}

// fullWidth returns the text of a line without its outer spaces but with its
// state word at full width; false if the line is not one of ours in that form.
func fullWidth(raw []byte, l viewLine) ([]byte, bool) {
	if l.word == "" || l.room != jobs.StateWidth {
		return nil, false
	}
	return raw[l.lead : l.wordAt+jobs.StateWidth], true
}
