package main

// part is a table of an overview, below an empty line. Without rows it is left
// out.
type part struct{ *table }

// height is how many lines it has.
func (p *part) height() int {
	if len(p.rows) == 0 {
		return 0
	}
	n := 2 + len(p.rows)
	for i := range p.rows {
		n += len(p.below[i])
	}
	return n
}

// shorten takes its last row away, and reports whether there was one.
func (p *part) shorten() bool {
	n := len(p.rows)
	if n == 0 {
		return false
	}
	p.rows = p.rows[:n-1]
	return true
}

// skip takes its first n rows away.
func (p *part) skip(n int) {
	p.rows = p.rows[n:]
	below := map[int][]cell{}
	for i, lines := range p.below {
		below[i-n] = lines
	}
	p.below = below
}

func (p *part) lines(s *screen) []string {
	if len(p.rows) == 0 {
		return nil
	}
	return append([]string{""}, p.table.lines(s)...)
}

// height is how many lines a head and parts below it have.
func height(head []string, parts []*part) int {
	n := len(head)
	for _, p := range parts {
		n += p.height()
	}
	return n
}
