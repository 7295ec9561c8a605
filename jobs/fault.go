package jobs

import (
	"strconv"
	"strings"
)

// Fault is one thing wrong in a file that a person wrote, and where it is.
type Fault struct {
	File    string // name as the person knows it; "" if there is none
	Line    int    // counted from 1; 0 if it concerns the whole file
	Column  int    // counted from 1; 0 if it concerns the whole line
	Message string // what is wrong
	Hint    string // what to do about it; "" if there is nothing to add
}

// Error gives "file:line:column: message; hint", without what is not known.
func (f *Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		for _, n := range []int{f.Line, f.Column} {
			if n == 0 {
				break
			}
			b.WriteString(":" + strconv.Itoa(n))
		}
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	if f.Hint != "" {
		b.WriteString("; " + f.Hint)
	}
	return b.String()
}
