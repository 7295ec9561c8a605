package jobs

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	lineCut  = 2 << 10 // bytes that a line shows of target and arguments
	ellipsis = "…"
)

// FormatLine gives the line that shows j in the queue file, without a line
// end: id, target, arguments (or "-"), and the state, padded so that any other
// can be written over it. It has at least four words whatever j holds. It is a
// view: unprintable characters show as '?', and what is over 2 KiB as '…'.
func FormatLine(j *Job) string {
	id, target := j.ID, "-"
	if j.Spelling != "" {
		id = j.Spelling
	}
	if j.Target != "" {
		target = quoteWithin(j.Target, lineCut-len(" "+ellipsis))
	}
	line := id + " " + target + " " + formatArgs(j.Args, lineCut-len(target)-1) + " " + string(j.State)
	return line + strings.Repeat(" ", max(0, StateWidth-len(j.State)))
}

// formatArgs quotes args and joins them within room bytes.
func formatArgs(args []string, room int) string {
	switch {
	case len(args) == 0:
		return "-"
	case len(args) == 1 && args[0] == "-": // a lone - would mean no arguments
		return "'-'"
	}
	var b strings.Builder
	for i, arg := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		left := room - b.Len()
		if i < len(args)-1 {
			left -= len(" " + ellipsis) // to say that there are more
		}
		q := Quote(Sanitize(arg))
		if len(q) > left {
			b.WriteString(quoteCut(Sanitize(arg), room-b.Len()))
			break
		}
		b.WriteString(q)
	}
	return b.String()
}

// quoteWithin quotes as much of s as fits into room bytes, with '…' at its end
// if that is not all.
func quoteWithin(s string, room int) string {
	s = Sanitize(s)
	if q := Quote(s); len(q) <= room {
		return q
	}
	return quoteCut(s, room)
}

// quoteCut quotes the beginning of s, with '…' at its end, in room bytes.
func quoteCut(s string, room int) string {
	room -= len("''" + ellipsis)
	end := 0
	for i, r := range s {
		cost := utf8.RuneLen(r)
		if r == '\'' {
			cost = len(`'\''`)
		}
		if room -= cost; room < 0 {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return Quote(s[:end] + ellipsis)
}

// RejectedJob makes the job that stands for a faulty item. It has the item's
// id, or none; the caller then gives it one, and its source.
func RejectedJob(it Item) *Job {
	j := &Job{
		ID:      it.ID,
		Target:  it.FirstWord,
		Args:    []string{place(it)},
		State:   Rejected,
		Reason:  it.Fault.Error(),
		Attempt: 1,
	}
	if it.Spelling != it.ID {
		j.Spelling = it.Spelling
	}
	return j
}

// place says where a faulty item stands: "line:14" in the queue file, or the
// name of the request file.
func place(it Item) string {
	if it.file != "" {
		return "file:" + it.file
	}
	return "line:" + strconv.Itoa(it.Fault.Line)
}
