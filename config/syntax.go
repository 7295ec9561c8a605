package config

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	syntaxError   = regexp.MustCompile(`^yaml: (?:line \d+: )?`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '.*' referenced$`)
)

// syntax makes a fault of what the YAML library says. The line in its words is
// where the block begins in which something is wrong, so the place is looked
// for here.
func (d *decoder) syntax(data []byte, err error) {
	message := strings.ReplaceAll(err.Error(), "\n", " ")
	message = message[len(syntaxError.FindString(message)):]
	line, column := faultyPlace(data)
	if unknownAnchor.MatchString(message) {
		// The anchor's name is not repeated: it may be a secret that begins
		// with an asterisk and lacks its quotes.
		d.faultAt(line, column, "an alias (*) is refused", aliasHint)
		return
	}
	d.faultAt(line, column, message, syntaxHint(data, line, message))
}

// searchBudget bounds how many bytes are parsed to find the place of a fault.
const searchBudget = 4 << 20

// faultyPlace gives the place behind the longest beginning of data that can be
// read: there stands what is wrong, or the bracket or quote that is never
// closed. The column is 0 if the search would have taken too long.
func faultyPlace(data []byte) (line, column int) {
	budget := searchBudget
	sound := func(n int) bool {
		budget -= n
		_, err := documents(bytes.NewReader(data[:n]))
		return err == nil
	}
	end := consumed(data)
	last := end // the end of the first line that is part of the fault
	for end > 0 && budget > end && !sound(end) {
		last = end
		end = 1 + bytes.LastIndexByte(data[:end-1], '\n')
	}
	line = 1 + bytes.Count(data[:end], []byte("\n"))
	if end > 0 && budget <= end {
		return line, 0
	}
	at := last
	for at > end && budget > at && !sound(at) {
		_, n := utf8.DecodeLastRune(data[:at])
		at -= n
	}
	if budget <= at {
		return line, 0
	}
	return line, 1 + utf8.RuneCount(data[end:at])
}

// consumed gives the end of the last line that the library asks for before it
// finds the fault.
func consumed(data []byte) int {
	r := &lineReader{data: data}
	documents(r)
	return r.end
}

// lineReader gives out one line a Read and remembers how far it came.
type lineReader struct {
	data []byte
	next int // where the next Read begins
	end  int // of the line that the last one gave from
}

func (r *lineReader) Read(p []byte) (int, error) {
	if r.next == len(r.data) {
		return 0, io.EOF
	}
	if r.next == r.end {
		r.end = len(r.data)
		if i := bytes.IndexByte(r.data[r.next:], '\n'); i >= 0 {
			r.end = r.next + i + 1
		}
	}
	n := copy(p, r.data[r.next:r.end])
	r.next += n
	return n, nil
}

func syntaxHint(data []byte, line int, message string) string {
	lines := bytes.Split(data, []byte("\n"))
	text := lines[min(line, len(lines))-1]
	indent := text[:len(text)-len(bytes.TrimLeft(text, " \t"))]
	has := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case bytes.ContainsRune(indent, '\t'):
		return "indent with spaces, YAML knows no tabs there"
	case has("mapping values are not allowed"):
		return `is the line indented as its neighbours are? text with ": " in it needs quotes`
	case has("did not find expected key"), has("'-' indicator"):
		return "is the line indented as its neighbours are?"
	case has("cannot start any token"):
		return "text that begins with @, ` or % needs quotes"
	case has("end of stream"):
		return "is the quote closed?"
	case has("',' or"):
		return "is the bracket closed?"
	}
	return ""
}
