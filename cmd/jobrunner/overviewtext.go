package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"jobrunner/jobs"
)

// print prints all of an overview.
func (o *overview) print(s *screen, serve string) error {
	for _, line := range o.lines(s, serve, 0) {
		if _, err := fmt.Fprintln(s, line); err != nil {
			return err // nobody reads any more
		}
	}
	return nil
}

// lines are an overview as text, with the command that starts a daemon. With a
// room only so many of them: first the jobs that ended go, then those that are up
// next.
func (o *overview) lines(s *screen, serve string, room int) []string {
	head := o.head(s, serve)
	parts := []*part{o.runningPart(s), o.nextPart(s), o.eyesPart(s), o.endedPart(s)}
	for _, give := range []int{3, 1, 2, 0} {
		for room > 0 && height(head, parts) > room && parts[give].shorten() {
		}
	}
	lines := head
	for _, p := range parts {
		lines = append(lines, p.lines(s)...)
	}
	return lines
}

// head says whether a daemon runs, what is wrong, and how many jobs there are.
func (o *overview) head(s *screen, serve string) []string {
	columns := 0
	if s.terminal() {
		columns, _ = s.size()
	}
	lines := []string{o.daemonLine(s, serve, columns)}
	for _, words := range o.Problems {
		for i, line := range fold(jobs.Sanitize(words), columns-len(gap)) {
			before := gap
			if i == 0 {
				before = s.warning + " "
			}
			lines = append(lines, s.paint(yellow, before+line))
		}
	}
	return append(lines, flow(s, o.counts(s), columns)...)
}

// daemonLine says whether a daemon runs; on a terminal also what time it is.
func (o *overview) daemonLine(s *screen, serve string, columns int) string {
	var line cell
	if d := o.Daemon; d.Running {
		line = joined(cell{text: mark(s, jobs.Completed) + "daemon running", colour: green},
			cell{text: gap + fmt.Sprintf("pid %d, since %s", d.PID, since(s, d.Since.Time, o.At.Time))})
	} else {
		line = joined(cell{text: mark(s, jobs.Failed) + "no daemon runs", colour: red}, cell{text: gap + "start one: " + serve})
	}
	if !s.terminal() {
		return line.paint(s)
	}
	right := o.At.Local().Format(time.TimeOnly)
	if name := jobs.Sanitize(node()); name != "" && line.width()+len(gap)+textWidth(name+gap+right) <= columns {
		right = name + gap + right
	}
	if free := columns - line.width() - textWidth(right); free >= len(gap) {
		line = joined(line, cell{text: strings.Repeat(" ", free)}, cell{text: right, colour: dim})
	}
	return line.cut(columns, s.ellipsis).paint(s)
}

// mark is the glyph of a state, on a terminal.
func mark(s *screen, of jobs.State) string {
	if !s.terminal() {
		return ""
	}
	return s.states[of] + " "
}

// since writes a time in the past, and how long ago that is.
func since(s *screen, t, now time.Time) string {
	if !s.terminal() {
		return instant(t)
	}
	layout := "15:04"
	if now.Sub(t) > 20*time.Hour {
		layout = "2 Jan 15:04"
	}
	return fmt.Sprintf("%s (%s)", t.Local().Format(layout), span(now.Sub(t)))
}

// counts are how many jobs there are of each state, and how many tokens of each
// slot are taken.
func (o *overview) counts(s *screen) []cell {
	running := fmt.Sprint(o.States[jobs.Running])
	if o.MaxConcurrent > 0 {
		running = fmt.Sprintf("%d of %d", o.States[jobs.Running], o.MaxConcurrent)
	}
	all := []cell{{text: mark(s, jobs.Running) + running + " RUNNING", colour: stateColours[jobs.Running]}}
	for _, state := range jobs.States {
		if n := o.States[state]; n > 0 && state != jobs.Running {
			all = append(all, cell{text: fmt.Sprintf("%s%d %s", mark(s, state), n, state), colour: stateColours[state]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Slots)) {
		all = append(all, cell{text: fmt.Sprintf("%s %d of %d", jobs.Sanitize(name), o.Slots[name].Taken, o.Slots[name].Of)})
	}
	return all
}

// flow writes cells one after the other, on as many lines as it takes; 0 columns
// are endless.
func flow(s *screen, all []cell, columns int) []string {
	const between = "   "
	var lines []string
	var line []cell
	width := 0
	for _, c := range all {
		if columns > 0 {
			c = c.cut(columns, s.ellipsis)
		}
		if len(line) > 0 && columns > 0 && width+len(between)+c.width() > columns {
			lines = append(lines, joined(line...).paint(s))
			line, width = nil, 0
		}
		if len(line) > 0 {
			line = append(line, cell{text: between})
			width += len(between)
		}
		line = append(line, c)
		width += c.width()
	}
	return append(lines, joined(line...).paint(s))
}

// runningPart shows what runs.
func (o *overview) runningPart(s *screen) *part {
	t := runningTable(s, o.Running, o.measured, o.At.Time)
	t.head[1] = fmt.Sprintf("%d of %d", o.States[jobs.Running], o.MaxConcurrent)
	if o.MaxConcurrent == 0 {
		t.head[1] = fmt.Sprint(o.States[jobs.Running])
	}
	return &part{t}
}

// nextPart shows what is to start next, why it has not, and when it will.
func (o *overview) nextPart(s *screen) *part {
	t := &table{
		head: []string{"NEXT UP", o.waitWords(s), "WHY", "STARTS"}, titled: true,
		flexible: map[int]int{1: 12, 2: 12},
	}
	for _, n := range o.Next {
		starts := ""
		if !n.StartAt.IsZero() {
			starts = startWords(s, n.StartAt.Time, o.At.Time)
		}
		t.rows = append(t.rows, []cell{marked(s, n.Job), {text: title(n.Job)}, {text: jobs.Sanitize(n.Job.Reason)}, {text: orDash(starts)}})
	}
	return &part{t}
}

// waitWords say how many jobs wait, and when all may be done.
func (o *overview) waitWords(s *screen) string {
	words := fmt.Sprintf("%d waiting", o.States[jobs.Pending])
	if !o.DoneAt.IsZero() && o.States[jobs.Pending] > 0 {
		words += ", done ~" + clock(s, o.DoneAt.Time, o.At.Time)
	}
	return words
}

// startWords say when a job is likely to start.
func startWords(s *screen, at, now time.Time) string {
	in := at.Sub(now)
	if in < time.Second {
		return "now"
	}
	return "~" + clock(s, at, now) + ", in " + fromNow(in)
}

// eyesPart shows what failed lately, and why.
func (o *overview) eyesPart(s *screen) *part {
	t := endTable(s, o.Eyes, o.At.Time)
	t.head[0], t.head[1] = "NEEDS EYES", "in the last 3 days"
	t.below = map[int][]cell{}
	for i, j := range o.Eyes {
		if j.Headline != "" {
			t.below[i] = []cell{{text: j.Headline, colour: red}}
		}
	}
	return &part{t}
}

// endedPart shows what ended last.
func (o *overview) endedPart(s *screen) *part {
	t := endTable(s, o.Ended, o.At.Time)
	t.head[0], t.head[1] = "ENDED", "latest first"
	return &part{t}
}

// endTable shows jobs that have ended; its first heads are the caller's.
func endTable(s *screen, ended []*jobs.Job, now time.Time) *table {
	t := &table{
		head: []string{"", "", "HOW", "RAN", "WHEN"}, titled: true,
		flexible: map[int]int{1: 12, 2: 12}, spare: []int{3},
	}
	for _, j := range ended {
		at := instant(j.EndedAt())
		if s.terminal() {
			at = age(now.Sub(j.EndedAt()))
			if at != "now" {
				at += " ago"
			}
		}
		t.rows = append(t.rows, []cell{marked(s, j), {text: title(j)}, {text: why(j)}, {text: orDash(ran(j, now))}, {text: at}})
	}
	return t
}

// marked is a job's id with its state: on a terminal as glyph and colour.
func marked(s *screen, j *jobs.Job) cell {
	if !s.terminal() {
		return cell{text: short(j.ID) + " " + string(j.State)}
	}
	return cell{text: mark(s, j.State) + short(j.ID), colour: stateColours[j.State]}
}
