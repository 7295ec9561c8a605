package ui

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"jobrunner/jobs"
)

// How many jobs each table of the overview shows, and how far back.
const (
	maxEyes    = 5
	maxRunning = 16
	maxPending = 8
	maxEnded   = 6

	maxProblems = 6   // beside what is paused; the system page has all
	maxShort    = 130 // bytes of HTML of a command line in a row that has much to show
	maxLine     = 240 // the same of a headline

	eyesAge    = 3 * 24 * time.Hour // a failure older than this is no news
	eyesLooked = 30                 // failures that are counted
)

const (
	urlEyes  = "/jobs?state=FAILED,TIMEOUT,LOST,REJECTED"
	urlEnded = "/jobs?state=COMPLETED,FAILED,CANCELLED,TIMEOUT,LOST,REJECTED"
)

type overviewView struct {
	Heading   string
	Problems  []noteView
	Counts    []countView
	Eyes      tableView
	Running   runningView
	Pending   tableView
	Day       *dayView // nil if nothing has happened
	Ended     tableView
	Empty     bool
	QueueFile string
}

// countView is a number of the line at the top, and where it leads to.
type countView struct {
	State stateView
	N     int
	Note  string
	At    *timeView // follows Note
	URL   string
}

func (s *server) overview(w http.ResponseWriter, r *http.Request) {
	v, p, err := s.viewOverview(r.Context())
	if err != nil {
		s.pageError(w, r, "Not now", err)
		return
	}
	s.render(w, r, http.StatusOK, overviewPage, frame{Title: p.title(), Icon: p.icon(), Nav: "overview", Every: every, Reload: 3 * reload, Main: v})
}

// overviewFacts is what an overview is made of, as it was read.
type overviewFacts struct {
	now     time.Time
	status  Status
	stats   jobs.Stats
	brakes  jobs.Brakes
	active  []*jobs.Job // what runs, then the first of what waits
	eyes    []*jobs.Job
	ended   []*jobs.Job
	day     *day
	outlook jobs.Outlook

	readings map[string]*jobs.Reading
}

// running are those of the active jobs that run.
func (f *overviewFacts) running() []*jobs.Job { return f.of(jobs.Running) }

// waiting are those that wait.
func (f *overviewFacts) waiting() []*jobs.Job { return f.of(jobs.Pending) }

func (f *overviewFacts) of(state jobs.State) []*jobs.Job {
	var out []*jobs.Job
	for _, j := range f.active {
		if j.State == state {
			out = append(out, j)
		}
	}
	return out
}

// overviewFacts reads them.
func (s *server) overviewFacts(ctx context.Context) (*overviewFacts, error) {
	f := &overviewFacts{now: s.now(), status: s.Status(), readings: s.Readings()}
	for _, read := range []func(context.Context, *overviewFacts) error{s.readActive, s.readEnded, s.readDay} {
		if err := read(ctx, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (s *server) readActive(ctx context.Context, f *overviewFacts) (err error) {
	if f.stats, err = s.Queue.Stats(ctx); err != nil {
		return err
	}
	if f.brakes, err = s.Queue.Brakes(ctx); err != nil {
		return err
	}
	if f.active, err = s.Queue.ListActive(ctx, f.stats.States[jobs.Running]+maxPending); err != nil {
		return err
	}
	waiting := f.waiting()
	if len(waiting) == 0 {
		return nil
	}
	f.outlook, err = s.Queue.Outlook(ctx, waiting, timesLeft(f.readings))
	return err
}

// timesLeft gives how long jobs will go on, of those that tell.
func timesLeft(readings map[string]*jobs.Reading) map[string]time.Duration {
	left := map[string]time.Duration{}
	for id, r := range readings {
		if p := r.Progress; p != nil && p.ETA != nil && p.ETASource != jobs.ProgressHistory {
			left[id] = *p.ETA
		}
	}
	return left
}

func (s *server) readEnded(ctx context.Context, f *overviewFacts) (err error) {
	if f.ended, err = s.Queue.LastEnded(ctx, nil, maxEnded); err != nil {
		return err
	}
	failed, err := s.Queue.LastEnded(ctx, jobs.NeedEyes, eyesLooked)
	for _, j := range failed {
		if f.now.Sub(j.EndedAt()) < eyesAge {
			f.eyes = append(f.eyes, j)
		}
	}
	return err
}

func (s *server) viewOverview(ctx context.Context) (*overviewView, pulse, error) {
	f, err := s.overviewFacts(ctx)
	if err != nil {
		return nil, pulse{}, err
	}
	v := &overviewView{
		Heading: "Jobs", QueueFile: "job_queue.txt", Counts: viewCounts(f), Eyes: s.viewEyes(f), Running: viewRunning(f),
		Pending: viewNext(f), Day: f.day.view(f), Ended: viewEnded(f), Empty: true,
	}
	if f.status.Node != "" {
		v.Heading = "Jobs on " + clean(f.status.Node, 100)
	}
	if f.status.QueueFile != "" {
		v.QueueFile = clean(f.status.QueueFile, 200)
	}
	for _, n := range f.stats.States {
		v.Empty = v.Empty && n == 0
	}
	v.Problems, _ = viewNotes(f.status)
	v.Problems = append(viewBrakes(f.brakes, f.stats.States[jobs.Running]), v.Problems[:min(len(v.Problems), maxProblems)]...)
	return v, pulse{
		failed: len(f.eyes), more: len(f.eyes) == eyesLooked, running: f.stats.States[jobs.Running],
		waiting: f.stats.States[jobs.Pending], problems: len(v.Problems) > 0,
	}, nil
}

// viewCounts is how many failed, run and wait, and how many ended otherwise.
func viewCounts(f *overviewFacts) []countView {
	const day = "in 24 h"
	failed, running := f.day.sum.Failed, ""
	for _, j := range f.eyes {
		if j.State == jobs.Rejected && f.now.Sub(j.EndedAt()) < dayLength {
			failed++ // which no sample counts
		}
	}
	if f.status.MaxConcurrent > 0 {
		running = fmt.Sprintf("of %d", f.status.MaxConcurrent)
	}
	waiting := countView{State: viewState(jobs.Pending), N: f.stats.States[jobs.Pending], URL: "/jobs?state=PENDING"}
	if done := f.outlook.Done; waiting.N > 0 && !done.IsZero() {
		waiting.Note, waiting.At = "all done ~", viewSoon(done, f.now)
	}
	return []countView{
		{State: viewState(jobs.Failed), N: failed, Note: day, URL: urlEyes},
		{State: viewState(jobs.Running), N: f.stats.States[jobs.Running], Note: running, URL: "/jobs?state=RUNNING"},
		waiting,
		{State: viewState(jobs.Completed), N: f.day.sum.Completed, Note: day, URL: "/jobs?state=COMPLETED"},
		{State: viewState(jobs.Cancelled), N: f.day.sum.Cancelled, Note: day, URL: "/jobs?state=CANCELLED"},
	}
}

// viewEyes are the failures of the last days, each with what its output says.
func (s *server) viewEyes(f *overviewFacts) tableView {
	v := tableView{Region: "eyes", Caption: "Needs eyes", Note: "in the last 3 days", When: "Ended", MoreURL: urlEyes, MoreText: "all failures"}
	for i, j := range f.eyes {
		if i == maxEyes {
			more := fmt.Sprint(len(f.eyes) - i)
			if len(f.eyes) == eyesLooked {
				more += "+"
			}
			v.MoreText = more + " more"
			break
		}
		row := viewRow(j, j.EndedAt(), f.now)
		row.Line = fit(s.headline(j).Text, maxLine)
		v.Rows = append(v.Rows, row)
	}
	return v
}

// viewNext is what is to start next, in that order, and when.
func viewNext(f *overviewFacts) tableView {
	v := tableView{Region: "pending", Caption: "Next up", When: "Starts", MoreURL: "/jobs?state=PENDING"}
	all := f.stats.States[jobs.Pending]
	for i, j := range f.waiting() {
		if i == maxPending {
			break
		}
		at := f.outlook.Starts[j.ID].StartAt
		row := viewRow(j, at, f.now)
		switch in := at.Sub(f.now); {
		case at.IsZero():
			row.Took = "cannot be said"
		case in < time.Second:
			row.At, row.Took = nil, "now"
		default:
			row.At = viewSoon(at, f.now)
			row.At.Age = "in about " + coarse(in)
		}
		v.Rows = append(v.Rows, row)
	}
	v.Note = fmt.Sprintf("%d waiting", all)
	if all > len(v.Rows) {
		v.MoreText = fmt.Sprintf("all %d", all)
	} else {
		v.MoreURL = ""
	}
	return v
}

func viewEnded(f *overviewFacts) tableView {
	v := tableView{Region: "ended", Caption: "Ended", Note: "latest first", When: "Ended", MoreURL: urlEnded, MoreText: "all"}
	for _, j := range f.ended {
		v.Rows = append(v.Rows, viewRow(j, j.EndedAt(), f.now))
	}
	return v
}

// viewSoon is viewTime for what is expected: without seconds.
func viewSoon(t, now time.Time) *timeView {
	v := viewTime(t, now)
	v.Clock, v.Short = shortClock(t, now), true
	return v
}
