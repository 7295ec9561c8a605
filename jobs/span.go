package jobs

import (
	"context"
	"fmt"
	"time"
)

// Span is an attempt on the clock: when it ran, and where.
type Span struct {
	ID         string
	Type       string
	Target     string
	Args       []string
	State      State // RUNNING, or how the attempt ended
	Reason     string
	Attempt    int
	CouldAt    time.Time // from when on it could start by itself; of later attempts that is not known, and it is StartedAt
	StartedAt  time.Time
	FinishedAt time.Time           // zero while it runs
	Slots      map[string][]string // tokens that it had, by the slot's name
}

// Crowd is many attempts that ended within a short time and are not told of one
// by one.
type Crowd struct {
	From, Until time.Time
	N           int
	Failed      int  // of them that are not COMPLETED
	More        bool // there were more than N
}

// Ran is what ran in a time and has ended.
type Ran struct {
	Spans  []Span
	Crowds []Crowd // what is not among Spans, in the order of time
}

// How much Ran reads. Where more than spansMost attempts ended, the time is cut
// into parts, and in each of them the longest ones are told of.
const (
	spansMost  = 240
	spanParts  = 28
	partTells  = 6
	partLooks  = 250
	laterLooks = 1000 // attempts that ended after the time, among which are those that ran in it too
)

const (
	endedWithin = "FROM attempts INDEXED BY attempts_finished WHERE finished_at >= ?1 AND finished_at < ?2 AND started_at > 0"

	spanColumns = `j.id, j.type, j.target, j.args, a.state, a.reason, a.attempt, max(j.submitted_at, j.not_before), a.started_at, a.finished_at, a.slots`
	joinSpans   = ` AS t CROSS JOIN attempts AS a ON a.job = t.job AND a.attempt = t.attempt CROSS JOIN jobs AS j INDEXED BY jobs_id ON j.id = t.job`

	countWithin = "SELECT count(*), ifnull(sum(state <> 'COMPLETED'), 0) FROM (SELECT state " + endedWithin + " LIMIT ?3+0)"
	selectSpans = "SELECT " + spanColumns + " FROM (SELECT job, attempt FROM (SELECT job, attempt, finished_at - started_at AS took " + endedWithin +
		" LIMIT ?3+0) ORDER BY took DESC LIMIT ?4+0)" + joinSpans
	selectLater = "SELECT " + spanColumns + ` FROM (SELECT job, attempt FROM (SELECT job, attempt, started_at FROM attempts INDEXED BY attempts_finished
		WHERE finished_at >= ?1 AND started_at > 0 ORDER BY finished_at LIMIT ?2+0) WHERE started_at < ?1 LIMIT ?3+0)` + joinSpans
)

// Ran returns what ran from one time until another and has ended, each attempt
// of a job by itself. However much that is, it answers soon.
func (q *Queue) Ran(ctx context.Context, from, until time.Time) (Ran, error) {
	var r Ran
	all, err := q.endedBetween(ctx, from, until, spansMost)
	if err == nil && !all.More {
		err = q.spans(ctx, &r, from, until, spansMost, spansMost)
	} else if err == nil {
		err = q.crowds(ctx, &r, from, until)
	}
	if err == nil {
		err = q.read.each(ctx, selectLater, []any{toMillis(until), laterLooks, spansMost}, r.scan)
	}
	if err != nil {
		return Ran{}, fmt.Errorf("reading what ran: %w", err)
	}
	return r, nil
}

// endedBetween counts the attempts that ended in a time, up to most.
func (q *Queue) endedBetween(ctx context.Context, from, until time.Time, most int) (Crowd, error) {
	c := Crowd{From: from, Until: until}
	err := q.read.row(ctx, countWithin, []any{toMillis(from), toMillis(until), most + 1}, &c.N, &c.Failed)
	if c.N > most {
		c.N, c.More = most, true
	}
	return c, err
}

// spans reads the longest of the first attempts that ended in a time.
func (q *Queue) spans(ctx context.Context, r *Ran, from, until time.Time, first, longest int) error {
	return q.read.each(ctx, selectSpans, []any{toMillis(from), toMillis(until), first, longest}, r.scan)
}

// crowds reads a time part by part.
func (q *Queue) crowds(ctx context.Context, r *Ran, from, until time.Time) error {
	step := until.Sub(from) / spanParts
	for n := range spanParts {
		begin, end := from.Add(time.Duration(n)*step), from.Add(time.Duration(n+1)*step)
		c, err := q.endedBetween(ctx, begin, end, partLooks)
		if err != nil {
			return err
		}
		before := len(r.Spans)
		if err := q.spans(ctx, r, begin, end, partLooks, partTells); err != nil {
			return err
		}
		for _, s := range r.Spans[before:] {
			c.N--
			if s.State != Completed {
				c.Failed--
			}
		}
		if c.N > 0 {
			r.Crowds = append(r.Crowds, c)
		}
	}
	return nil
}

// scan takes a row of spanColumns.
func (r *Ran) scan(row scanner) error {
	var s Span
	var args, state, slots string
	var could, started, finished int64
	err := row.Scan(&s.ID, &s.Type, &s.Target, &args, &state, &s.Reason, &s.Attempt, &could, &started, &finished, &slots)
	if err != nil {
		return err
	}
	s.State, s.CouldAt, s.StartedAt, s.FinishedAt = State(state), fromMillis(could), fromMillis(started), fromMillis(finished)
	s.settle()
	if err := unpack([]packed{{args, &s.Args}, {slots, &s.Slots}}); err != nil {
		return err
	}
	r.Spans = append(r.Spans, s)
	return nil
}

// settle corrects when an attempt could start, of which less is known the more
// there were before it.
func (s *Span) settle() {
	if s.Attempt > 1 || s.CouldAt.After(s.StartedAt) {
		s.CouldAt = s.StartedAt
	}
}

// Span is the attempt of j that runs. j is RUNNING.
func (j *Job) Span() Span {
	s := Span{
		ID: j.ID, Type: j.Type, Target: j.Target, Args: j.Args, State: j.State, Reason: j.Reason, Attempt: j.Attempt,
		CouldAt: j.SubmittedAt, StartedAt: j.StartedAt, Slots: j.Slots,
	}
	if j.NotBefore.After(j.SubmittedAt) {
		s.CouldAt = j.NotBefore
	}
	s.settle()
	return s
}
