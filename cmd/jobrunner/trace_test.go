//go:build unix

package main

import (
	"fmt"
	"strings"
)

// trace is what the jobs of an oracle have written down: of each attempt its
// begin and its end, in the order in which they happened.
type trace struct {
	runs   map[string]*deed // by tag and attempt
	most   int              // jobs that ran at once
	faults []string
}

// deed is what an attempt has written down.
type deed struct {
	begun, ended bool
	code         int // its exit code, once it has ended
}

// of gives what an attempt has written down; nothing if it never ran.
func (tr *trace) of(tag string, attempt int) deed {
	if r := tr.runs[fmt.Sprint(tag, " ", attempt)]; r != nil {
		return *r
	}
	return deed{}
}

// readTrace reads "start tag attempt", "end tag attempt code", and "killed"
// where everything that ran was killed. Jobs that may be ended while they run
// are not counted among those that run at once.
func readTrace(lines []string, ends func(tag string) bool) *trace {
	tr := &trace{runs: map[string]*deed{}}
	now := map[string]bool{}
	for _, line := range lines {
		var tag, attempt string
		var code int
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "start":
			if r := tr.runs[rest]; r != nil {
				tr.faults = append(tr.faults, fmt.Sprintf("attempt %q was started twice", rest))
			}
			tr.runs[rest] = &deed{begun: true}
			if tag, _, _ = strings.Cut(rest, " "); ends(tag) {
				now[rest] = true
			}
			tr.most = max(tr.most, len(now))
		case "end":
			_, err := fmt.Sscanf(rest, "%s %s %d", &tag, &attempt, &code)
			r := tr.runs[tag+" "+attempt]
			if err != nil || r == nil || r.ended {
				tr.faults = append(tr.faults, fmt.Sprintf("the trace has %q, of an attempt that does not run", line))
				continue
			}
			r.ended, r.code = true, code
			delete(now, tag+" "+attempt)
		case "killed":
			clear(now)
		case "":
		default:
			tr.faults = append(tr.faults, fmt.Sprintf("the trace has %q", line))
		}
	}
	return tr
}
