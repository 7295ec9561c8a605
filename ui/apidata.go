package ui

import (
	"errors"
	"net/http"
	"time"

	"jobrunner/jobs"
)

// sampleList is the answer of /api/v1/samples.
type sampleList struct {
	Period  float64      `json:"period_seconds"` // that each stands for
	Samples []sampleJSON `json:"samples"`
	Next    string       `json:"next,omitempty"` // left out at the end
}

// samplesAtOnce is the time of which one answer has the samples.
const samplesAtOnce = 8 * 24 * time.Hour

// sampleJSON is the public shape of a jobs.Sample.
type sampleJSON struct {
	At        string `json:"at"`
	Pending   int    `json:"pending"`
	Running   int    `json:"running"`
	Slots     int    `json:"max_concurrent"`
	Completed int    `json:"completed"`
	Failed    int    `json:"failed"`
	Cancelled int    `json:"cancelled"`
}

// apiSamples answers with what the queue did in each stretch of time.
func (s *server) apiSamples(r *http.Request) (any, error) {
	query, err := parseQuery(r)
	if err != nil {
		return nil, err
	}
	since, err := parseSince(query.Get("since"), s.now())
	if err != nil {
		return nil, err
	}
	now := s.now()
	if since.IsZero() {
		since = now.Add(-24 * time.Hour)
	}
	if oldest := now.Add(-jobs.SampleAge); since.Before(oldest) {
		since = oldest
	}
	until := since.Add(samplesAtOnce)
	out := sampleList{Period: jobs.SamplePeriod.Seconds(), Samples: []sampleJSON{}}
	if until.Before(now) {
		out.Next = instant(until)
	} else {
		until = now.Add(jobs.SamplePeriod) // the last stretch has not ended
	}
	found, err := s.Queue.SamplesUntil(r.Context(), since, until)
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		out.Samples = append(out.Samples, sampleJSON{instant(p.At), p.Pending, p.Running, p.Slots, p.Completed, p.Failed, p.Cancelled})
	}
	return out, nil
}

// instant writes a time for programs, "" for the zero time.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(jobs.TimeFormat)
}

// series is the answer of /api/v1/jobs/{id}/series.
type series struct {
	ID      string      `json:"id"`
	Attempt int         `json:"attempt"`
	Points  []pointJSON `json:"points"`
}

// pointJSON is the public shape of a jobs.Point.
type pointJSON struct {
	At     string  `json:"at"`
	CPU    float64 `json:"cpu"`
	Memory int64   `json:"memory_bytes"`
}

// apiSeries answers with what an attempt took over time.
func (s *server) apiSeries(r *http.Request) (any, error) {
	query, err := parseQuery(r)
	if err != nil {
		return nil, err
	}
	attempt, err := number(query, "attempt", 0, 1, 1<<30)
	if err != nil {
		return nil, err
	}
	j, err := s.find(r)
	if err != nil {
		return nil, err
	}
	if attempt > j.Attempt {
		return nil, noAttempt(j, attempt)
	}
	if attempt == 0 {
		attempt = j.Attempt
	}
	reading := s.Readings()[j.ID]
	if reading == nil || reading.Attempt != attempt {
		reading, err = s.Queue.Reading(r.Context(), j.ID, attempt)
	}
	if err != nil && !errors.Is(err, jobs.ErrNotFound) { // nothing was measured
		return nil, err
	}
	out := series{ID: j.ID, Attempt: attempt, Points: []pointJSON{}}
	if reading != nil {
		for _, p := range reading.Series {
			out.Points = append(out.Points, pointJSON{instant(p.At), p.CPU, p.Memory})
		}
	}
	return out, nil
}

// typeList is the answer of /api/v1/types.
type typeList struct {
	Types []typeObject `json:"types"`
}

// typeObject is the public shape of a type. Its variables are no part of it.
type typeObject struct {
	Name          string             `json:"name"`
	Configured    bool               `json:"configured"` // false: only jobs of it are known
	Description   string             `json:"description,omitempty"`
	Command       []string           `json:"command,omitempty"`
	Interpreter   []string           `json:"interpreter,omitempty"`
	MaxConcurrent int                `json:"max_concurrent,omitempty"`
	Priority      int                `json:"priority,omitempty"`
	Timeout       float64            `json:"timeout_seconds,omitempty"`
	MaxRetries    int                `json:"max_retries,omitempty"`
	Slots         map[string]int     `json:"slots,omitempty"`
	Paused        bool               `json:"paused"`
	States        map[jobs.State]int `json:"states"` // only what is not 0
	Runs          *jobs.Runs         `json:"runs,omitempty"`
}

// apiTypes answers with the types that are configured, and those of which jobs
// are known.
func (s *server) apiTypes(r *http.Request) (any, error) {
	stats, err := s.Queue.Stats(r.Context())
	if err != nil {
		return nil, err
	}
	brakes, err := s.Queue.Brakes(r.Context())
	if err != nil {
		return nil, err
	}
	configured := s.Catalog().Types
	out := typeList{Types: []typeObject{}}
	for _, name := range typeNames(configured, stats) {
		runs, err := s.Queue.RunsOf(r.Context(), name, stats.Types[name])
		if err != nil {
			return nil, err
		}
		t := typeObject{Name: name, Paused: brakes.All || brakes.Types[name], States: stats.Types[name]}
		if t.States == nil {
			t.States = map[jobs.State]int{}
		}
		if runs.Runs > 0 {
			t.Runs = &runs
		}
		t.configure(configured[name])
		out.Types = append(out.Types, t)
	}
	return out, nil
}

// configure fills in what is configured of a type, which may be nothing.
func (t *typeObject) configure(c *jobs.Type) {
	if c == nil {
		return
	}
	t.Configured, t.Description, t.Command, t.Interpreter = true, c.Description, c.Command, c.Interpreter
	t.MaxConcurrent, t.Priority, t.Timeout = c.MaxConcurrent, c.Priority, c.Timeout.Seconds()
	t.MaxRetries, t.Slots = c.MaxRetries, c.Slots
}

// systemJSON is the answer of /api/v1/system.
type systemJSON struct {
	Version       string        `json:"version"`
	Node          string        `json:"node,omitempty"`
	StartedAt     string        `json:"started_at,omitempty"`
	MaxConcurrent int           `json:"max_concurrent,omitempty"`
	QueueFile     string        `json:"queue_file,omitempty"`
	Ready         bool          `json:"ready"`
	Reason        string        `json:"reason"` // why it is not ready
	Paused        bool          `json:"paused"` // all types
	Draining      bool          `json:"draining"`
	LastEvent     int64         `json:"last_event"`
	ConfigError   string        `json:"config_error,omitempty"`
	Notes         []noteJSON    `json:"notes"`
	Ignored       []ignoredJSON `json:"ignored"`
}

type noteJSON struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

type ignoredJSON struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// apiSystem answers with what is to be known of the daemon.
func (s *server) apiSystem(r *http.Request) (any, error) {
	brakes, err := s.Queue.Brakes(r.Context())
	if err != nil {
		return nil, err
	}
	last, err := s.Queue.LastEvent(r.Context())
	if err != nil {
		return nil, err
	}
	st := s.Status()
	out := systemJSON{
		Version: st.Version, Node: st.Node, StartedAt: instant(st.StartedAt), MaxConcurrent: st.MaxConcurrent, QueueFile: st.QueueFile,
		Ready: true, Paused: brakes.All, Draining: brakes.Draining, LastEvent: last, ConfigError: st.ConfigError,
		Notes: []noteJSON{}, Ignored: []ignoredJSON{},
	}
	if err := s.Ready(); err != nil {
		out.Ready, out.Reason = false, err.Error()
	}
	for _, n := range st.Notes {
		if n.Level == "" {
			n.Level = Info
		}
		out.Notes = append(out.Notes, noteJSON(n))
	}
	for _, i := range st.Ignored {
		out.Ignored = append(out.Ignored, ignoredJSON{i.Name, i.Why})
	}
	return out, nil
}
