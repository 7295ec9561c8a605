package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Scheduled is a schedule and how far it has come, for people.
type Scheduled struct {
	Schedule
	NextAt time.Time // zero if there is none
	LastAt time.Time // when it last made jobs; zero if it never did
	Jobs   []string  // ids of those jobs
	Reason string    // what may keep it from making jobs at NextAt, in words; "" if nothing does
}

// scheduledJSON is the public shape of a schedule. What is not known is left out.
type scheduledJSON struct {
	Name    string   `json:"name"`
	Cron    string   `json:"cron,omitempty"`
	Every   string   `json:"every,omitempty"`
	Zone    string   `json:"tz"`
	CatchUp CatchUp  `json:"catch_up"`
	Overlap Overlap  `json:"overlap"`
	NextAt  string   `json:"next_at,omitempty"`
	LastAt  string   `json:"last_at,omitempty"`
	Jobs    []string `json:"jobs"` // made at last_at
	Reason  string   `json:"reason"`

	Request scheduledRequest `json:"request"`
}

// scheduledRequest is what a schedule asks for. Parameters and variables may
// hold secrets and are not part of it.
type scheduledRequest struct {
	Type     string            `json:"type,omitempty"`
	Script   string            `json:"script,omitempty"`
	Args     []string          `json:"args"`
	Name     string            `json:"name,omitempty"`
	Priority int               `json:"priority,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// MarshalJSON gives the public shape: the same object in the API and in the
// command line's --json.
func (s Scheduled) MarshalJSON() ([]byte, error) {
	out := scheduledJSON{
		Name: s.Name, Cron: s.Cron, Zone: s.ZoneName(), CatchUp: s.CatchUp, Overlap: s.Overlap,
		NextAt: formatTime(s.NextAt), LastAt: formatTime(s.LastAt), Jobs: append([]string{}, s.Jobs...), Reason: s.Reason,
	}
	if r := s.Request; r != nil {
		out.Request = scheduledRequest{
			Type: r.Type, Script: r.Script, Args: append([]string{}, r.Args...), Name: r.Name, Priority: r.Priority, Labels: r.Labels,
		}
	}
	if s.Every > 0 {
		out.Every = s.Every.String()
	}
	return json.Marshal(out)
}

// ZoneName is the name of the time zone in which a schedule counts.
func (s Schedule) ZoneName() string {
	if s.Zone == nil {
		return time.Local.String()
	}
	return s.Zone.String()
}

// first is what a request names first: its script, else its type.
func (r *Request) first() string { return cmp.Or(r.Script, r.Type, r.Target) }

// Target is what the jobs of a schedule name first: a script or a type.
func (s Scheduled) Target() string { return s.Request.first() }

// Scheduled returns the schedules of the catalog in force, the next one first.
func (q *Queue) Scheduled(ctx context.Context, c *Catalog, now time.Time) ([]Scheduled, error) {
	states, err := q.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	found := make([]Scheduled, 0, len(c.Schedules))
	for _, s := range c.Schedules {
		all := Scheduled{Schedule: s}
		i := slices.IndexFunc(states, func(state ScheduleState) bool { return state.Name == s.Name })
		if i >= 0 {
			all.NextAt, all.LastAt, all.Jobs = states[i].NextAt, states[i].LastAt, states[i].Jobs
		} else {
			all.NextAt = s.Next(now)
		}
		if all.Reason, err = q.scheduleReason(ctx, c, &all, now); err != nil {
			return nil, err
		}
		found = append(found, all)
	}
	slices.SortFunc(found, func(a, b Scheduled) int { return cmp.Or(byTime(a.NextAt, b.NextAt), cmp.Compare(a.Name, b.Name)) })
	return found, nil
}

// byTime compares two times; the zero time comes last.
func byTime(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		return b.Compare(a)
	}
	return a.Compare(b)
}

// scheduleReason says what may keep a schedule from making jobs at its time.
func (q *Queue) scheduleReason(ctx context.Context, c *Catalog, s *Scheduled, now time.Time) (string, error) {
	if s.NextAt.IsZero() {
		return "no such time comes", nil
	}
	if c.MaxPending > 0 && s.NextAt.Before(now) {
		if n, err := q.Pending(ctx); err != nil || n >= c.MaxPending {
			return "is due and waits: " + FullWords(c.MaxPending), err
		}
	}
	if late := now.Sub(s.NextAt); late > time.Minute {
		return "is due and waits for the next serve", nil
	}
	if s.Overlap != OverlapSkip {
		return "", nil
	}
	for _, id := range s.Jobs {
		j, err := q.Job(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return "", err
		case !j.State.Ended():
			return "left out if " + shortID(id) + " is still " + string(j.State), nil
		}
	}
	return "", nil
}
