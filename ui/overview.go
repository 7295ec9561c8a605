package ui

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"jobrunner/jobs"
)

// How many jobs each table of the overview shows, and how far back.
const (
	maxEyes    = 8
	maxRunning = 12
	maxPending = 10
	maxEnded   = 10

	eyesAge    = 3 * 24 * time.Hour // a failure older than this is no news
	lookBack   = 500                // events that are searched for ended jobs
	lookBehind = 30                 // newest jobs by order of acceptance that are looked at as well
)

// bad are the ended states that a person should look at.
var bad = []jobs.State{jobs.Failed, jobs.Timeout, jobs.Lost, jobs.Rejected}

// ended are all ended states.
var ended = []jobs.State{jobs.Completed, jobs.Failed, jobs.Cancelled, jobs.Timeout, jobs.Lost, jobs.Rejected}

type overviewView struct {
	Heading   string
	Problems  []noteView
	Counts    []countView
	Eyes      tableView
	Running   tableView
	Pending   tableView
	Ended     tableView
	Empty     bool
	QueueFile string
}

type countView struct {
	State stateView
	N     int
}

func (s *server) overview(w http.ResponseWriter, r *http.Request) {
	v, p, err := s.viewOverview(r.Context())
	if err != nil {
		code, words := s.explain(r, err)
		s.renderError(w, r, code, errorView{Heading: "Not now", Words: sentence(words)})
		return
	}
	s.render(w, r, http.StatusOK, overviewPage, frame{Title: p.title(), Icon: p.icon(), Nav: "overview", Every: every, Reload: reload, Main: v})
}

func (s *server) viewOverview(ctx context.Context) (*overviewView, pulse, error) {
	now, st := s.now(), s.Status()
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return nil, pulse{}, err
	}
	v := &overviewView{Heading: "Jobs", QueueFile: "job_queue.txt", Empty: true}
	if st.Node != "" {
		v.Heading = "Jobs on " + clean(st.Node, 100)
	}
	if st.QueueFile != "" {
		v.QueueFile = clean(st.QueueFile, 200)
	}
	brakes, err := s.Queue.Brakes(ctx)
	if err != nil {
		return nil, pulse{}, err
	}
	v.Problems, _ = viewNotes(st)
	v.Problems = append(viewBrakes(brakes, stats.States[jobs.Running]), v.Problems...)
	for _, state := range jobs.States {
		n := stats.States[state]
		v.Counts = append(v.Counts, countView{viewState(state), n})
		v.Empty = v.Empty && n == 0
	}
	if err := s.viewActive(ctx, v, stats, now); err != nil {
		return nil, pulse{}, err
	}
	if err := s.viewEnded(ctx, v, now); err != nil {
		return nil, pulse{}, err
	}
	running, waiting := stats.States[jobs.Running], stats.States[jobs.Pending]
	if st.MaxConcurrent > 0 {
		v.Running.Note = fmt.Sprintf("%d of %d", running, st.MaxConcurrent)
	} else {
		v.Running.Note = fmt.Sprint(running)
	}
	return v, pulse{failed: len(v.Eyes.Rows), running: running, waiting: waiting, problems: len(v.Problems) > 0}, nil
}

// viewActive fills in what runs and what is to start, in that order.
func (s *server) viewActive(ctx context.Context, v *overviewView, stats jobs.Stats, now time.Time) error {
	running, waiting := stats.States[jobs.Running], stats.States[jobs.Pending]
	v.Running = tableView{Region: "running", Caption: "Running", When: "Started"}
	v.Pending = tableView{Region: "pending", Caption: "Waiting", When: "Submitted"}
	active, err := s.Queue.ListActive(ctx, running+maxPending)
	if err != nil {
		return err
	}
	for _, j := range active {
		switch {
		case j.State == jobs.Running && len(v.Running.Rows) < maxRunning:
			v.Running.Rows = append(v.Running.Rows, viewRow(j, j.StartedAt, now))
		case j.State == jobs.Pending && len(v.Pending.Rows) < maxPending:
			v.Pending.Rows = append(v.Pending.Rows, viewRow(j, j.SubmittedAt, now))
		}
	}
	if running > len(v.Running.Rows) {
		v.Running.MoreURL, v.Running.MoreText = "/jobs?state=RUNNING", fmt.Sprintf("all %d", running)
	}
	v.Pending.Note = "by priority, then first come, first served"
	if waiting > len(v.Pending.Rows) {
		v.Pending.Note = fmt.Sprintf("the first %d by priority, then first come, first served", len(v.Pending.Rows))
		v.Pending.MoreURL, v.Pending.MoreText = "/jobs?state=PENDING", fmt.Sprintf("all %d", waiting)
	}
	return nil
}

// viewEnded fills in what ended lately and what of it needs eyes.
func (s *server) viewEnded(ctx context.Context, v *overviewView, now time.Time) error {
	lately, err := s.endedLately(ctx)
	if err != nil {
		return err
	}
	v.Eyes = tableView{
		Region: "eyes", Caption: "Needs eyes", Note: "in the last 3 days", When: "Ended",
		MoreURL: "/jobs?state=FAILED,TIMEOUT,LOST,REJECTED", MoreText: "all",
	}
	v.Ended = tableView{
		Region: "ended", Caption: "Ended", Note: "latest first", When: "Ended",
		MoreURL: "/jobs?state=COMPLETED,FAILED,CANCELLED,TIMEOUT,LOST,REJECTED", MoreText: "all",
	}
	for _, j := range lately {
		at := endedAt(j)
		if slices.Contains(bad, j.State) && now.Sub(at) < eyesAge && len(v.Eyes.Rows) < maxEyes {
			v.Eyes.Rows = append(v.Eyes.Rows, viewRow(j, at, now))
		}
		if len(v.Ended.Rows) < maxEnded {
			v.Ended.Rows = append(v.Ended.Rows, viewRow(j, at, now))
		}
	}
	return nil
}

// endedLately gives ended jobs, the latest end first. Jobs are listed by order
// of acceptance, so a long job that ended just now may stand far down there:
// the last events name it. A failure that many good ends have pushed out of the
// events is found by its state.
func (s *server) endedLately(ctx context.Context) ([]*jobs.Job, error) {
	seen := map[string]bool{}
	var out []*jobs.Job
	add := func(found []*jobs.Job) {
		for _, j := range found {
			if !seen[j.ID] && j.State.Ended() {
				seen[j.ID] = true
				out = append(out, j)
			}
		}
	}
	for _, states := range [][]jobs.State{bad, ended} {
		found, err := s.Queue.List(ctx, jobs.Filter{States: states, Limit: lookBehind})
		if err != nil {
			return nil, err
		}
		add(found)
	}
	last, err := s.Queue.LastEvent(ctx)
	if err != nil {
		return nil, err
	}
	events, err := s.Queue.Events(ctx, max(0, last-lookBack), lookBack)
	if err != nil {
		return nil, err
	}
	looked, failures := 0, 0
	for _, e := range slices.Backward(events) {
		isBad := slices.Contains(bad, e.State)
		wanted := e.State.Ended() && e.Job != "" && !seen[e.Job] && (looked < maxEnded || isBad && failures < maxEyes)
		if !wanted {
			continue
		}
		j, err := s.Queue.Job(ctx, e.Job)
		if err != nil {
			return nil, err
		}
		looked++
		if isBad {
			failures++
		}
		add([]*jobs.Job{j})
	}
	slices.SortStableFunc(out, func(a, b *jobs.Job) int {
		if c := endedAt(b).Compare(endedAt(a)); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return out, nil
}
