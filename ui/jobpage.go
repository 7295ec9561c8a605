package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"time"

	"jobrunner/jobs"
)

// Bounds of a job's page, in bytes of HTML but for logRead.
const (
	logRead    = 64 << 10 // bytes read from the end of the log
	logShown   = 24 << 10
	maxCommand = 6 << 10
	maxReason  = 3 << 10
	maxLabels  = 30
	maxEnv     = 60
	maxEarlier = 10
)

type jobView struct {
	ID      string
	State   stateView
	What    string
	Why     string // the reason
	Words   string // what the exit status usually means
	Facts   []fact
	Command string
	Todo    *todo
	Log     logView
}

// fact is one line of what is known: values, or a time.
type fact struct {
	Name   string
	Values []string
	At     *timeView
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
	if err != nil {
		s.jobError(w, r, err)
		return
	}
	if r.PathValue("id") != j.ID {
		http.Redirect(w, r, "/jobs/"+j.ID, http.StatusFound)
		return
	}
	v, err := s.viewJob(j)
	if err != nil {
		s.jobError(w, r, err)
		return
	}
	f := frame{Title: v.State.Glyph + " " + v.State.Word + " " + v.What, Every: every, Main: v}
	if !j.State.Ended() { // without a script, an ended job's log is left to be read in peace
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

func (s *server) viewJob(j *jobs.Job) (*jobView, error) {
	now := s.now()
	v := &jobView{
		ID: j.ID, State: viewState(j.State), What: what(j, 600),
		Why: clean(withExit(j), maxReason), Words: exitWords(j), Facts: facts(j, now), Todo: viewTodo(j),
	}
	argv := j.Command
	if len(argv) == 0 {
		argv = append([]string{j.Target}, j.Args...)
	}
	v.Command = words(argv, maxCommand, "(none)")
	var err error
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
	text("Name", j.Name)
	text("Type", j.Type)
	text("Priority", strconv.Itoa(j.Priority))
	text("Source", j.Source)
	if j.Timeout > 0 {
		text("Time limit asked for", j.Timeout.String())
	}
	text("Folder asked for", j.Workdir)
	out = append(out, named("Labels", j.Labels, maxLabels, true)...)
	out = append(out, named("Environment, names only", j.Env, maxEnv, false)...)
	text("Id", j.ID)
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

func viewTodo(j *jobs.Job) *todo {
	switch {
	case j.State == jobs.Rejected:
		return nil
	case j.State.Ended():
		return &todo{"To run it again:", "jobrunner retry " + short(j.ID)}
	}
	return &todo{"To cancel it:", "jobrunner cancel " + short(j.ID)}
}

// viewLog shows the end of the latest attempt's output.
func (s *server) viewLog(j *jobs.Job) (logView, error) {
	v := logView{Earlier: s.earlierLogs(j)}
	f, fi, err := s.openLog(j, 0)
	var none *noLogError
	if errors.As(err, &none) {
		v.Nothing = pageWords(j, none)
		return v, nil
	}
	if err != nil {
		return v, err
	}
	defer f.Close()
	v.There, v.Size = true, bytesize(fi.Size())
	data, cutRead, err := readEnd(f, fi.Size(), logRead)
	if err != nil {
		return v, err
	}
	text, cutText := cleanLog(data, logShown)
	v.Text = text
	switch {
	case fi.Size() == 0 && j.State == jobs.Running:
		v.Nothing = "It has written nothing yet."
	case fi.Size() == 0:
		v.Nothing = "It wrote nothing."
	case text == "":
		v.Nothing = "Nothing that can be shown."
	case cutRead || cutText:
		v.Note = "the end of " + v.Size
	}
	return v, nil
}

// pageWords leaves out what only helps a program.
func pageWords(j *jobs.Job, none *noLogError) string {
	if j.Log == "" && j.State == jobs.Pending && j.Attempt > 1 {
		return fmt.Sprintf("Attempt %d has not started.", j.Attempt)
	}
	return clean(sentence(none.words), 300)
}

// earlierLogs gives the attempts before the latest that have a log, the newest
// ones if there are many.
func (s *server) earlierLogs(j *jobs.Job) []int {
	var out []int
	for n := j.Attempt - 1; n > 0 && n >= j.Attempt-maxEarlier; n-- {
		f, _, err := s.openLog(j, n)
		if errors.Is(err, fs.ErrNotExist) || err != nil {
			continue
		}
		f.Close()
		out = append(out, n)
	}
	slices.Reverse(out)
	return out
}
