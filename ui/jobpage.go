package ui

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// Bounds of a job's page, in bytes of HTML.
const (
	maxCommand = 4 << 10
	maxReason  = 2 << 10
)

type jobView struct {
	ID       string
	Ended    bool
	State    stateView
	What     string
	Why      string   // the reason
	Words    string   // what the exit status usually means
	Line     headline // of its output, that says why it failed
	Silence  string   // for how long it has told nothing, if that matters
	Bar      *barView // nil if nothing is known of its progress
	BarWords string   // before the bar: "reached" if it has ended
	Moments  []moment
	Start    *startView // when it starts, if it waits
	Waits    waitsView
	Command  string
	Todo     []todo
	Usage    usageView
	Log      logView
	Past     pastView
	Kin      *kinView // nil if no job of its type has ended
	Facts    []fact
}

// moment is a time of a job's life, or something else that is said among them.
type moment struct {
	Words string
	At    *timeView
	Note  string
}

// todo is what a person may do about the job, by other means than this page.
type todo struct{ Words, Command string }

func (s *server) job(w http.ResponseWriter, r *http.Request) {
	j, err := s.find(r)
	if group := s.sweep(r, err); group != "" {
		http.Redirect(w, r, sweepURL(group), http.StatusFound)
		return
	}
	if err != nil {
		s.jobError(w, r, err)
		return
	}
	if r.PathValue("id") != j.ID {
		http.Redirect(w, r, "/jobs/"+j.ID, http.StatusFound)
		return
	}
	v, err := s.viewJob(r.Context(), j.ID)
	if err != nil {
		s.jobError(w, r, err)
		return
	}
	f := frame{Title: v.State.Glyph + " " + v.State.Word + " " + v.What, Icon: stateIcon(jobs.State(v.State.Word)), Every: every, Main: v}
	if !v.Ended { // without a script, an ended job's log is left to be read in peace
		f.Reload = reload
	}
	s.render(w, r, http.StatusOK, jobPage, f)
}

// jobError is a page; a prefix that fits several jobs offers them.
func (s *server) jobError(w http.ResponseWriter, r *http.Request, err error) {
	code, words := s.explain(r, err)
	v := errorView{Heading: "No such job", Words: sentence(words)}
	var ambiguous *jobs.AmbiguousError
	switch {
	case errors.As(err, &ambiguous):
		code, v.Heading, v.Words = http.StatusNotFound, "Which job?", "Several jobs begin like that."
		v.Jobs = ambiguous.IDs[:min(len(ambiguous.IDs), 20)]
	case code == http.StatusInternalServerError:
		v.Heading = "Not now"
	}
	s.renderError(w, r, code, v)
}

// sweep gives the id of the sweep that the path's {id} names, if no job is
// found by it; "" if there is none.
func (s *server) sweep(r *http.Request, err error) string {
	prefix := strings.ToLower(r.PathValue("id"))
	if !errors.Is(err, jobs.ErrNotFound) || len(prefix) < 4 {
		return ""
	}
	found, err := s.Queue.List(r.Context(), jobs.Filter{Group: prefix, Limit: 1})
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[0].Group
}

// sweepURL is where the jobs of a sweep are listed.
func sweepURL(group string) string {
	return "/jobs?q=group:" + url.QueryEscape(group[:min(len(group), 36)])
}

func (s *server) viewJob(ctx context.Context, id string) (*jobView, error) {
	now := s.now()
	j, err := s.Queue.Detail(ctx, id)
	if err != nil {
		return nil, err
	}
	readings := s.Readings()
	measure(j, readings)
	v := &jobView{
		ID: j.ID, Ended: j.State.Ended(), State: viewState(j.State), What: what(j, 600),
		Why: clean(withExit(j), maxReason), Words: j.EndWords(), Line: s.headline(j), Bar: viewBar(j.Progress, now),
		Moments: viewMoments(j, now), Facts: facts(j, s.Catalog().Types[j.Type], now), Todo: viewTodo(j), Past: s.viewPast(j, now),
	}
	v.Silence = silenceWords(readings[j.ID], j, now)
	switch {
	case j.State == jobs.Completed:
		v.Bar = nil // it has come to its end, whatever it last said
	case v.Ended && v.Bar != nil:
		v.BarWords, v.Bar.Left = "reached", nil
	}
	if j.State == jobs.Running && j.Reason == "" {
		v.Why = "" // that it runs says all
	}
	argv := j.Command
	if len(argv) == 0 {
		argv = append([]string{j.Target}, j.Args...)
	}
	v.Command = words(argv, maxCommand, "(none)")
	if v.Start, err = s.viewStart(ctx, j, now); err != nil {
		return nil, err
	}
	if v.Waits, err = s.viewWaits(ctx, j); err != nil {
		return nil, err
	}
	if v.Usage, err = s.viewUsage(ctx, j, readings[j.ID], now); err != nil {
		return nil, err
	}
	if v.Kin, err = s.viewKin(ctx, j); err != nil {
		return nil, err
	}
	v.Log, err = s.viewLog(j, v.Line)
	return v, err
}

// viewMoments tells the job's life in the order in which it went.
func viewMoments(j *jobs.Job, now time.Time) []moment {
	queued := moment{Words: "queued", At: viewTime(j.SubmittedAt, now)}
	if j.Source != "" {
		queued.Note = "by " + clean(j.Source, 400)
	}
	all := []moment{queued}
	if started := viewTime(j.StartedAt, now); started != nil {
		m := moment{Words: "started", At: started}
		switch {
		case j.State == jobs.Running:
			m.Note = "runs for " + ticking(now.Sub(j.StartedAt))
		case j.Attempt == 1:
			m.Note = "waited " + duration(j.StartedAt.Sub(j.SubmittedAt))
		}
		all = append(all, m)
	}
	if ended := viewTime(j.FinishedAt, now); ended != nil {
		m := moment{Words: "ended", At: ended}
		if hasRun(j) {
			m.Note = "took " + duration(j.FinishedAt.Sub(j.StartedAt))
		}
		all = append(all, m)
	}
	attempt := "attempt " + strconv.Itoa(j.Attempt)
	if j.Retries > 0 {
		attempt = fmt.Sprintf("attempt %d, %d of %d retries used", j.Attempt, j.Retried, j.Retries)
	}
	return append(all, moment{Words: attempt})
}

func viewTodo(j *jobs.Job) []todo {
	id := short(j.ID)
	cancel := todo{"To cancel it:", "jobrunner cancel " + id}
	switch {
	case j.State == jobs.Rejected:
		return nil
	case j.State == jobs.Completed:
		return []todo{{"To run the same again:", "jobrunner rerun " + id}}
	case j.State.Ended():
		return []todo{{"To run it again:", "jobrunner retry " + id}}
	case j.State == jobs.Pending && j.Hold:
		return []todo{{"To let it start:", "jobrunner release " + id}, cancel}
	}
	return []todo{cancel}
}
