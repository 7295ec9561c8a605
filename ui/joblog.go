package ui

import (
	"errors"
	"fmt"
	"html/template"
	"slices"

	"jobrunner/jobs"
)

// Bounds of the end of the output on a job's page, and of what else of it is named.
const (
	endRows    = 60
	endHTML    = 14 << 10
	maxEarlier = 10
)

// logView is the end of the latest attempt's output, drawn.
type logView struct {
	There   bool
	Size    string
	Note    string
	Rows    template.HTML
	Nothing string // said where there are no rows
	Earlier []int  // attempts that have a log of their own
	At      string // address of the line that says why the job failed
	Line    string // its number; "" if it is not counted so far
}

// viewLog shows the end of the latest attempt's output; why is the line of it that
// says why the job failed.
func (s *server) viewLog(j *jobs.Job, why headline) (logView, error) {
	v := logView{Earlier: s.earlierLogs(j)}
	out, err := s.openLog(j, 0)
	var none *noLogError
	if errors.As(err, &none) {
		v.Nothing = pageWords(j, none)
		return v, nil
	}
	if err != nil {
		return v, err
	}
	defer out.Close()
	for range 3 { // of a running job's bounded output something may go while it is read
		if err = v.fill(j, out, s.indexes.of(j.ID, j.Attempt), why); err == nil {
			break
		}
	}
	return v, err
}

func (v *logView) fill(j *jobs.Job, out *jobs.Output, index *lineIndex, why headline) error {
	log, err := index.look(out)
	if err != nil {
		return err
	}
	v.There, v.Size = true, jobs.RoughSize(log.Size())
	end, err := partTo(log, log.Size(), endHTML)
	if err != nil {
		return err
	}
	end.keepLast(endHTML, endRows)
	n := numbered{page: "/jobs/" + j.ID + "/log?", base: -1, near: -1}
	if ends, ok := index.before(log, end.From); ok {
		n.base = ends
	}
	v.Rows = end.html(n)
	if why.Text != "" {
		v.At = fmt.Sprintf("/jobs/%s/log?near=%d", j.ID, why.At)
		if ends, ok := index.before(log, why.At); ok {
			v.Line = grouped(ends + 1)
			v.At = fmt.Sprintf("/jobs/%s/log?line=%d#L%d", j.ID, ends+1, ends+1)
		}
	}
	switch {
	case log.Size() == 0 && j.State == jobs.Running:
		v.Nothing = "It has written nothing yet."
	case log.Size() == 0:
		v.Nothing = "It wrote nothing."
	case log.Lost() > 0:
		v.Note = fmt.Sprintf("the end; %s of it were kept, %s were not", v.Size, jobs.RoughSize(log.Lost()))
	case end.From > 0:
		v.Note = "the end of " + v.Size
	}
	return nil
}

// pageWords leaves out what only helps a program.
func pageWords(j *jobs.Job, none *noLogError) string {
	if j.Log == "" && j.State == jobs.Pending && j.Attempt > 1 {
		return fmt.Sprintf("Attempt %d has not started.", j.Attempt)
	}
	return clean(sentence(none.words), 300)
}

// earlierLogs gives the attempts before the latest that have a log and of which
// no more is known than that, the newest ones if there are many.
func (s *server) earlierLogs(j *jobs.Job) []int {
	var out []int
	for n := j.Attempt - 1; n > 0 && n >= j.Attempt-maxEarlier; n-- {
		known := slices.ContainsFunc(j.Past, func(a jobs.Attempt) bool { return a.Attempt == n })
		if !known && s.hasLog(j, n) {
			out = append(out, n)
		}
	}
	slices.Reverse(out)
	return out
}

// hasLog reports whether an attempt has a log that can be shown.
func (s *server) hasLog(j *jobs.Job, attempt int) bool {
	out, err := s.openLog(j, attempt)
	if err != nil {
		return false
	}
	out.Close()
	return true
}
