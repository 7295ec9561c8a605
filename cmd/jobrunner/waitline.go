package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// waitLine is the line on stderr that shows on a terminal how far the jobs have
// come that are waited for. It is gone when it is closed.
type waitLine struct {
	c      *client
	frames *live // nil where there is no terminal
	gauges *gauges
	drawn  time.Time // when it was drawn last
	told   string    // what the terminal was last told of the progress; "" if nothing
}

func (c *client) newWaitLine() *waitLine {
	l := &waitLine{c: c, gauges: newGauges(c)}
	if s := newScreen(c.stderr); s.moves() {
		l.frames = &live{s: s}
	}
	return l
}

// Close takes the line away.
func (l *waitLine) Close() {
	l.gauges.Close()
	if l.frames == nil {
		return
	}
	_ = l.frames.erase() // whatever is wrong with it is not what was waited for
	l.tell("")
}

// draw shows how far the jobs have come, a few times a second at most.
func (l *waitLine) draw(ctx context.Context, w *watched) (err error) {
	now := time.Now()
	if l.frames == nil || now.Sub(l.drawn) < quickest {
		return nil
	}
	l.drawn = now
	var open []*jobs.Job
	for _, j := range w.open {
		open = append(open, j)
	}
	slices.SortFunc(open, func(a, b *jobs.Job) int { return cmp.Compare(a.Seq, b.Seq) })
	l.gauges.read(ctx, open, false)
	var show func(*screen) cell
	if len(w.ended)+len(open) > 1 {
		show = l.several(open, len(w.ended))
	} else if show, err = l.one(ctx, open[0], now); err != nil {
		return err
	}
	return l.frames.draw(func(s *screen, _ int) []string {
		columns, _ := s.size()
		return []string{show(s).cut(columns, s.ellipsis).paint(s)}
	})
}

// one shows the only job that is waited for.
func (l *waitLine) one(ctx context.Context, j *jobs.Job, now time.Time) (func(*screen) cell, error) {
	if j.State != jobs.Running {
		l.tell(progressUnknown)
		fresh, err := l.c.queue.Job(ctx, j.ID) // what it waits for changes without a word of it
		if err != nil {
			return nil, err
		}
		words := cell{text: "waits: " + jobs.Sanitize(cmp.Or(fresh.Reason, "it starts soon")), colour: dim}
		return func(s *screen) cell { return withWords(s, j, words) }, nil
	}
	if j.Progress != nil && j.Progress.Percent != nil {
		l.tellPercent(j.Progress.Tenths())
	} else {
		l.tell(progressUnknown)
	}
	return func(s *screen) cell {
		words := progressLine(s, j, s.wideBar(), now)
		if words.width() == 0 {
			words = cell{text: "runs for " + ran(j, now), colour: dim}
		}
		return withWords(s, j, words)
	}, nil
}

// withWords is a job and words on it, cut so that most of these fit.
func withWords(s *screen, j *jobs.Job, words cell) cell {
	const least = 12 // columns of what the job is called
	columns, _ := s.size()
	id := marked(s, j)
	room := columns - id.width() - 2*len(gap) - words.width()
	return joined(id, cell{text: gap + cut(title(j), max(least, room), s.ellipsis) + gap}, words)
}

// several shows how many have ended, and how far all have come, each counting the
// same.
func (l *waitLine) several(open []*jobs.Job, ended int) func(*screen) cell {
	all := ended + len(open)
	sum, running := 100*float64(ended), 0
	for _, j := range open {
		if j.State != jobs.Running {
			continue
		}
		running++
		sum += max(0, share(j))
	}
	mean := sum / float64(all)
	l.tellPercent(mean)
	words := fmt.Sprintf("%d of %d ended, %d running, %d waiting", ended, all, running, len(open)-running)
	return func(s *screen) cell {
		p := &jobs.Progress{Percent: &mean}
		return joined(s.bar(p, s.wideBar()), cell{text: " " + percent(p) + gap, colour: bold}, cell{text: words})
	}
}

// States of progress that a terminal can be told, which some show on their tab or
// in the task bar (OSC 9;4, https://conemu.github.io/en/AnsiEscapeCodes.html).
const (
	progressNone    = "0"
	progressUnknown = "3"
)

// tellPercent tells the terminal how far what is waited for has come.
func (l *waitLine) tellPercent(percent float64) { l.tell("1;" + strconv.Itoa(int(percent))) }

// tell tells it a state; "" ends that.
func (l *waitLine) tell(state string) {
	if state == l.told || !takesProgress() {
		return
	}
	l.told = state
	_, _ = io.WriteString(l.frames.s, "\x1b]9;4;"+cmp.Or(state, progressNone)+"\x1b\\") // an ornament
}

// takesProgress reports whether the terminal is one that takes OSC 9;4 for what it
// is: some others show its text as a notification.
func takesProgress() bool {
	switch os.Getenv("TERM_PROGRAM") {
	case "ghostty", "WezTerm", "mintty":
		return true
	case "iTerm.app":
		return !olderThan(os.Getenv("TERM_PROGRAM_VERSION"), 3, 6, 6)
	}
	const vte = 8000 // the library of GNOME's terminals, as of 0.80
	return os.Getenv("WT_SESSION") != "" || os.Getenv("ConEmuANSI") == "ON" || positive(os.Getenv("VTE_VERSION"), 0) >= vte
}

// olderThan compares a version such as 3.6.6 with another one.
func olderThan(version string, other ...int) bool {
	parts := strings.Split(version, ".")
	for i, want := range other {
		have := 0
		if i < len(parts) {
			have, _ = strconv.Atoi(parts[i])
		}
		if have != want {
			return have < want
		}
	}
	return false
}
