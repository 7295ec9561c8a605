package hooks

import (
	"bytes"

	"jobrunner/jobs"
)

const (
	mostLine   = 500      // bytes of a line that are kept
	mostLogged = 64 << 10 // bytes of an output that are logged
)

// output takes what a command prints, line by line. What is too much is thrown
// away.
type output struct {
	log    func(line string)
	line   []byte
	last   string // the latest line that is not blank
	logged int
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	if o.logged > mostLogged {
		p = o.skip(p)
	}
	for len(p) > 0 {
		part, rest, whole := bytes.Cut(p, []byte("\n"))
		o.line = append(o.line, part[:min(len(part), mostLine-len(o.line))]...)
		if p = rest; whole {
			o.end()
		}
	}
	return n, nil
}

// skip passes over the lines of p that nobody will see: all whole ones but the
// last that is not blank. A command that prints without end costs little so.
func (o *output) skip(p []byte) []byte {
	whole := p[:bytes.LastIndexByte(p, '\n')+1]
	text := bytes.TrimRight(whole, " \t\r\n")
	last := bytes.LastIndexByte(text, '\n') + 1
	if last == 0 { // it goes on with the line so far
		return p
	}
	o.line = o.line[:0]
	return p[last:]
}

// end takes the line so far as a whole one.
func (o *output) end() {
	line := jobs.Sanitize(string(bytes.TrimSpace(o.line)))
	o.line = o.line[:0]
	if line == "" {
		return
	}
	o.last = line
	if o.logged += len(line); o.logged <= mostLogged {
		o.log(line)
	}
}

// after adds to words the last thing that was said.
func (o *output) after(words string) string {
	if o.last == "" {
		return words
	}
	return words + ": " + o.last
}
