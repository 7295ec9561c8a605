package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// Bounds of a job's page, in bytes of HTML but for logRead and headRead.
const (
	logRead    = 64 << 10 // bytes read from the end of the log
	logShown   = 18 << 10
	headRead   = 1 << 10 // bytes of the beginning of a log that was not kept whole
	headShown  = 3 << 10
	maxCommand = 4 << 10
	maxReason  = 2 << 10
	maxLabels  = 12
	maxParams  = 12
	maxEnv     = 30
	maxEarlier = 10
)

type jobView struct {
	ID      string
	Ended   bool
	State   stateView
	What    string
	Why     string     // the reason
	Words   string     // what the exit status usually means
	Line    headline   // of its output, that says why it failed
	Start   *startView // when it starts, if it waits
	Facts   []fact
	Waits   waitsView
	Past    pastView
	Command string
	Todo    []todo
	Log     logView
}

// fact is one line of what is known: values, or a time.
type fact struct {
	Name   string
	Values []string
	At     *timeView
	URL    string // where the only value leads to; "" if nowhere
}

// todo is what a person may do about the job, by other means than this page.
type todo struct{ Words, Command string }

type logView struct {
	There   bool
	Size    string
	Note    string
	Text    string
	Nothing string // said where Text is ""
	Earlier []int  // attempts that have a log of their own
}

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
	f := frame{Title: v.State.Glyph + " " + v.State.Word + " " + v.What, Every: every, Main: v}
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
	v := &jobView{
		ID: j.ID, Ended: j.State.Ended(), State: viewState(j.State), What: what(j, 600),
		Why: clean(withExit(j), maxReason), Words: j.EndWords(), Line: s.headline(j), Facts: facts(j, now), Todo: viewTodo(j), Past: s.viewPast(j, now),
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
	v.Log, err = s.viewLog(j)
	return v, err
}

// facts is everything about j but its state, reason, command line and output.
func facts(j *jobs.Job, now time.Time) []fact {
	var out []fact
	text := func(name string, values ...string) {
		for i, v := range values {
			values[i] = clean(v, 400)
		}
		if len(values) > 0 && values[0] != "" {
			out = append(out, fact{Name: name, Values: values})
		}
	}
	at := func(name string, t time.Time) {
		if v := viewTime(t, now); v != nil {
			out = append(out, fact{Name: name, At: v})
		}
	}
	at("Submitted", j.SubmittedAt)
	at("Started", j.StartedAt)
	at("Ended", j.FinishedAt)
	switch {
	case j.State == jobs.Running && !j.StartedAt.IsZero():
		text("Runs for", ticking(now.Sub(j.StartedAt)))
	case hasRun(j):
		text("Took", duration(j.FinishedAt.Sub(j.StartedAt)))
	}
	if j.Attempt == 1 && !j.StartedAt.IsZero() {
		text("Waited", duration(j.StartedAt.Sub(j.SubmittedAt)))
	}
	if j.ExitCode != nil {
		text("Exit code", strconv.Itoa(*j.ExitCode))
	}
	text("Signal", j.Signal)
	if j.State == jobs.Running && j.PID != 0 {
		text("Process", strconv.Itoa(j.PID))
	}
	text("Node", j.Node)
	text("Attempt", strconv.Itoa(j.Attempt))
	if j.Retries > 0 {
		text("Retries", fmt.Sprintf("%d of %d used", j.Retried, j.Retries))
	}
	text("Name", j.Name)
	text("Type", j.Type)
	text("Priority", strconv.Itoa(j.Priority))
	text("Source", j.Source)
	out = append(out, asked(j, now)...)
	out = append(out, named("Parameters", j.Params, maxParams, true)...)
	out = append(out, named("Labels", j.Labels, maxLabels, true)...)
	out = append(out, named("Environment, names only", j.Env, maxEnv, false)...)
	text("Id", j.ID)
	return out
}

// asked is what the request of j wanted beside its command, and what came of it.
func asked(j *jobs.Job, now time.Time) []fact {
	var out []fact
	text := func(name, value string) {
		if value != "" {
			out = append(out, fact{Name: name, Values: []string{clean(value, 400)}})
		}
	}
	if j.Hold && j.State == jobs.Pending {
		text("Held", "until it is released")
	}
	if v := viewTime(j.NotBefore, now); v != nil {
		out = append(out, fact{Name: "Not before", At: v})
	}
	if j.Group != "" {
		out = append(out, fact{Name: "Sweep", Values: []string{clean(short(j.Group), 40)}, URL: sweepURL(j.Group)})
	}
	text("Unique key", j.UniqueKey)
	text("Slots", slotWords(j.Slots))
	text("Limits", j.Limits)
	text("Runs as", j.RunAs)
	if j.Timeout > 0 {
		text("Time limit asked for", j.Timeout.String())
	}
	text("Folder asked for", j.Workdir)
	if j.ScriptNoted != "" {
		text("Script", "changed since the job was accepted: it ran as it was at the start")
	}
	return out
}

// named lists the keys of m in order, with their values if wanted.
func named(name string, m map[string]string, limit int, values bool) []fact {
	if len(m) == 0 {
		return nil
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	f := fact{Name: name}
	for i, k := range keys {
		if i == limit {
			f.Values = append(f.Values, fmt.Sprintf("and %d more", len(keys)-i))
			break
		}
		line := clean(k, 80)
		if values {
			line += ": " + clean(m[k], 160)
		}
		f.Values = append(f.Values, line)
	}
	return []fact{f}
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

// viewLog shows the end of the latest attempt's output.
func (s *server) viewLog(j *jobs.Job) (logView, error) {
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
	log, err := out.View()
	if err != nil {
		return v, err
	}
	v.There, v.Size = true, jobs.RoughSize(log.Size())
	data, cutRead, err := readEnd(log, log.Size(), logRead)
	if err != nil {
		return v, err
	}
	text, cutText := cleanLog(data, logShown)
	v.Text = text
	switch {
	case log.Size() == 0 && j.State == jobs.Running:
		v.Nothing = "It has written nothing yet."
	case log.Size() == 0:
		v.Nothing = "It wrote nothing."
	case text == "":
		v.Nothing = "Nothing that can be shown."
	case (cutRead || cutText) && log.Lost() > 0:
		v.Note = "the beginning and the end; " + jobs.RoughSize(log.Size()) + " were kept"
		v.Text, err = withHead(log, text)
	case cutRead || cutText:
		v.Note = "the end of " + v.Size
	}
	return v, err
}

// withHead puts the beginning of a log before its end, and between them the line
// that tells what was not kept.
func withHead(log *jobs.View, end string) (string, error) {
	data := make([]byte, min(headRead, log.Head()))
	if _, err := log.ReadAt(data, 0); err != nil {
		return "", err
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	head, _ := cleanLog(data, headShown)
	return head + log.Mark() + end, nil
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
