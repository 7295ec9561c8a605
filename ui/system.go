package ui

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"jobrunner/jobs"
)

// What the page of the system shows at most.
const (
	maxRejected  = 6
	maxEvents    = 50
	maxEventSize = 18_000 // bytes of HTML of all of them, about
	maxFaults    = 8
	maxSettings  = 25
	maxPlaces    = 6
	maxEventWhat = 60
	maxEventWhy  = 90
)

type systemView struct {
	Problems  []noteView
	Facts     []fact
	Config    []fact
	Faults    []string // why a changed configuration is not in force
	Settings  []Setting
	Places    []placeView
	Ignored   []Ignored
	More      string
	Schedules []scheduleView
	MoreSched string
	Rejected  []rejectedView
	Events    []eventView
}

type placeView struct {
	What, Path, Room string
	Used             string // per cent of the disk; "" if that is not known
}

type rejectedView struct {
	ID, Short, What, Why, Source string
	At                           *timeView
}

// eventView is an entry of the audit.
type eventView struct {
	At               *timeView
	Short, What, Why string
	Words            string
	State            stateView // without a word if it is of no job's state
}

func (s *server) system(w http.ResponseWriter, r *http.Request) {
	v, err := s.viewSystem(r.Context())
	if err != nil {
		s.pageError(w, r, "Not now", err)
		return
	}
	s.render(w, r, http.StatusOK, systemPage, frame{Title: "System", Nav: "system", Every: every, Reload: 6 * reload, Main: v})
}

func (s *server) viewSystem(ctx context.Context) (*systemView, error) {
	now, st := s.now(), s.Status()
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	brakes, err := s.Queue.Brakes(ctx)
	if err != nil {
		return nil, err
	}
	v := &systemView{}
	problems, _ := viewNotes(st)
	v.Problems = append(viewBrakes(brakes, stats.States[jobs.Running]), problems...)
	v.Facts = daemonFacts(st, stats, now, s.Ready())
	v.viewConfig(st.System, now)
	v.Places = viewPlaces(st.System.Places)
	v.Ignored, v.More = viewIgnored(st.Ignored)
	if v.Schedules, v.MoreSched, err = s.viewSchedules(ctx, func(jobs.Scheduled) bool { return true }); err != nil {
		return nil, err
	}
	if v.Rejected, err = s.viewRejected(ctx); err != nil {
		return nil, err
	}
	v.Events, err = s.viewEvents(ctx)
	return v, err
}

// daemonFacts are what the daemon is and does.
func daemonFacts(st Status, stats jobs.Stats, now time.Time, ready error) []fact {
	var out []fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{Name: name, Values: []string{clean(value, 200)}})
		}
	}
	at := func(name string, t time.Time) {
		if v := viewTime(t, now); v != nil {
			out = append(out, fact{Name: name, At: v})
		}
	}
	sys, total := st.System, 0
	for _, n := range stats.States {
		total += n
	}
	takes := "yes"
	if ready != nil {
		takes = "no: " + ready.Error()
	}
	add("Takes requests", takes)
	add("Version", st.Version)
	add("Built with", runtime.Version()+" for "+runtime.GOOS+"/"+runtime.GOARCH)
	add("Machine", st.Node)
	if sys.PID > 0 {
		add("Daemon", "pid "+strconv.Itoa(sys.PID))
	}
	at("Started", st.StartedAt)
	add("Supervisor", orElse(sys.Supervisor, "none is connected: the first job to start brings it up"))
	if st.MaxConcurrent > 0 {
		add("Running", fmt.Sprintf("%d of %d at once", stats.States[jobs.Running], st.MaxConcurrent))
	}
	add("Jobs known", strconv.Itoa(total))
	if sys.Database > 0 {
		add("Database", jobs.RoughSize(sys.Database))
	}
	add("Retention", sys.Retention)
	add("Changes of files", eventsWords(sys.Events))
	add("Queue file", sys.QueueFile)
	return out
}

func orElse(value, none string) string {
	if value == "" {
		return none
	}
	return value
}

// eventsWords says how the daemon learns that a file has come.
func eventsWords(events string) string {
	if events == "native" {
		return "native: the system tells, and a look every poll_interval makes sure"
	}
	return events
}

// viewConfig fills in where the configuration is from and what is in force.
func (v *systemView) viewConfig(s System, now time.Time) {
	if s.Config.Path != "" {
		v.Config = append(v.Config, fact{Name: "File", Values: []string{clean(s.Config.Path, 300)}})
	}
	if at := viewTime(s.Config.LoadedAt, now); at != nil {
		v.Config = append(v.Config, fact{Name: "In force since", At: at})
	}
	for i, words := range s.Config.Faults {
		if i == maxFaults {
			v.Faults = append(v.Faults, fmt.Sprintf("and %d more", len(s.Config.Faults)-i))
			break
		}
		v.Faults = append(v.Faults, clean(words, 300))
	}
	for _, set := range s.Settings[:min(len(s.Settings), maxSettings)] {
		v.Settings = append(v.Settings, Setting{clean(set.Name, 40), clean(set.Value, 140), clean(set.Next, 100)})
	}
}

func viewPlaces(all []Place) []placeView {
	var out []placeView
	for _, p := range all[:min(len(all), maxPlaces)] {
		v := placeView{What: clean(p.What, 80), Path: clean(p.Path, 250)}
		if p.Total > 0 {
			v.Room = jobs.RoughSize(p.Free) + " free of " + jobs.RoughSize(p.Total)
			v.Used = strconv.FormatInt(100-100*p.Free/p.Total, 10)
		}
		out = append(out, v)
	}
	return out
}

// viewRejected shows the latest requests that were refused.
func (s *server) viewRejected(ctx context.Context) ([]rejectedView, error) {
	found, err := s.Queue.List(ctx, jobs.Filter{States: []jobs.State{jobs.Rejected}, Limit: maxRejected})
	var out []rejectedView
	for _, j := range found {
		out = append(out, rejectedView{
			ID: j.ID, Short: short(j.ID), What: what(j, maxEventWhat), Why: clean(j.Reason, maxWhy), Source: clean(j.Source, maxEventWhat),
			At: viewTime(j.SubmittedAt, s.now()),
		})
	}
	return out, err
}

// eventWords say what an event is, where its state does not say it all.
var eventWords = map[string]string{
	jobs.EventAccepted: "accepted", jobs.EventStarted: "started", jobs.EventReturned: "taken back: it never ran",
	jobs.EventEnding: "is being ended", jobs.EventEnded: "ended", jobs.EventDoubt: "its line is in doubt",
	jobs.EventLine: "its line was removed", jobs.EventCancel: "cancel", jobs.EventRetry: "retry", jobs.EventRerun: "rerun",
	jobs.EventHold: "hold", jobs.EventRelease: "release", jobs.EventPause: "pause", jobs.EventResume: "resume", jobs.EventDrain: "drain",
	jobs.EventAgain: "is tried again", jobs.EventDue: "its time has come", jobs.EventReady: "what it waited for has ended",
	jobs.EventSchedule: "schedule", jobs.EventHook: "a hook failed", jobs.EventPrune: "prune",
}

// viewEvents shows what happened last.
func (s *server) viewEvents(ctx context.Context) ([]eventView, error) {
	found, err := s.Queue.Audit(ctx, maxEvents)
	var out []eventView
	now, size := s.now(), 0
	for _, e := range found {
		v := eventView{At: viewTime(e.At, now), Words: orElse(eventWords[e.Kind], e.Kind), Why: clean(e.Reason, maxEventWhy)}
		if e.State != "" {
			v.State = viewState(e.State)
		}
		if e.Job != "" && e.Kind != jobs.EventPrune {
			v.Short = clean(short(e.Job), 20)
		}
		if e.Target != "" {
			v.What = words(append([]string{e.Target}, e.Args...), maxEventWhat, "")
		}
		if size += 240 + len(v.Words) + escapedSize(v.What) + escapedSize(v.Why); size > maxEventSize {
			break
		}
		out = append(out, v)
	}
	return out, err
}
