package jobs

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// Found is a part of the jobs that a Filter selects.
type Found struct {
	Jobs []*Job // newest first by Seq
	// Next is the Filter.Before with which the rest follows, or the Filter.After
	// if that was set; 0 if there is none. There may be fewer jobs than the limit
	// although more follow, or none at all.
	Next int64
	// Back is when the last job came in that was looked at, if a bound stopped the
	// search before the limit or the end was reached; zero if none did.
	Back time.Time
}

// List returns the jobs that a Filter selects, newest first by Seq. A fault in
// its Query is a *QueryError. With a word that hardly any job matches it looks
// at all of them, which takes a while.
func (q *Queue) List(ctx context.Context, f Filter) ([]*Job, error) {
	found, err := q.find(ctx, f, math.MaxInt)
	return found.Jobs, err
}

// Search is List that looks at a bounded number of jobs, so that it answers
// soon, however many there are and whatever matches.
func (q *Queue) Search(ctx context.Context, f Filter) (Found, error) {
	return q.find(ctx, f, searchEffort)
}

// searchEffort bounds a Search: about 15 ms on a machine of 2020. What costs how
// much was measured with a million jobs.
const (
	searchEffort = 30_000

	costRow    = 1   // to compare numbers of a job that comes next in the table
	costJump   = 12  // to read one that lies elsewhere in it
	costText   = 6   // to search in its texts
	costWhole  = 120 // to read all of it, and say why it waits
	costLookUp = 200 // to begin to read
)

func (q *Queue) find(ctx context.Context, f Filter, effort int) (Found, error) {
	terms, err := parseQuery(f.Query, time.Now())
	if err != nil {
		return Found{}, err
	}
	if !terms.narrow(f) {
		return Found{}, nil // the Filter contradicts its Query
	}
	s, err := q.search(ctx, terms, f)
	if err != nil {
		return Found{}, fmt.Errorf("listing jobs: %w", err)
	}
	if s.effort = effort; len(s.walks) > 0 {
		s.share(effort / 2)
	}
	found, err := s.run(ctx)
	if err != nil {
		return Found{}, fmt.Errorf("listing jobs: %w", err)
	}
	return found, nil
}

// search is a Filter on its way through the jobs.
type search struct {
	queue         *Queue
	terms         *terms
	waits         *waits
	conditions    string // fulfilled by every match
	args          []any
	costs         int   // to hold one job against them
	before, after int64 // bounds of Seq, both left out
	up            bool  // from the oldest to the newest
	limit         int
	effort        int // what it may still cost
	walks         []*walk
	found         []*Job // those that match, in the order of the search
}

func (q *Queue) search(ctx context.Context, t *terms, f Filter) (*search, error) {
	w, err := q.waits(ctx)
	if err != nil {
		return nil, err
	}
	if w.catalog != nil && slices.ContainsFunc(t.conditions, func(c condition) bool { return c.word != "" }) {
		if err := w.readSlots(ctx); err != nil { // they are in reasons that a word may be of
			return nil, err
		}
	}
	s := &search{queue: q, terms: t, waits: w, before: math.MaxInt64, after: f.After, up: f.After > 0, limit: orDefault(f.Limit)}
	if f.Before > 0 {
		s.before = f.Before
	}
	if err := s.within(ctx); err != nil {
		return nil, err
	}
	s.conditions, s.args = t.sql(w)
	for _, c := range t.conditions {
		s.costs += costRow
		if c.like {
			s.costs += costText
		}
	}
	return s, s.plan(ctx)
}

// Seqs are nearly in the order of time, but not to be relied on for it: a clock
// may be put back. So the bound is that of many jobs on the other side of a time.
const (
	boundOf     = "20000"
	selectSince = `SELECT ifnull(min(seq), 9223372036854775807) - 1 FROM (SELECT seq FROM jobs INDEXED BY jobs_submitted
		WHERE submitted_at >= ? ORDER BY submitted_at LIMIT ` + boundOf + `)`
	selectUntil = `SELECT ifnull(max(seq), 0) + 1 FROM (SELECT seq FROM jobs INDEXED BY jobs_submitted
		WHERE submitted_at < ? ORDER BY submitted_at DESC LIMIT ` + boundOf + `)`
)

// within bounds the search by the times that are asked for.
func (s *search) within(ctx context.Context) error {
	if t := s.terms.since; !t.IsZero() {
		var after int64
		if err := s.queue.read.row(ctx, selectSince, []any{toMillis(t)}, &after); err != nil {
			return err
		}
		s.after = max(s.after, after)
	}
	if t := s.terms.until; !t.IsZero() {
		var before int64
		if err := s.queue.read.row(ctx, selectUntil, []any{toMillis(t)}, &before); err != nil {
			return err
		}
		s.before = min(s.before, before)
	}
	return nil
}

// run goes on with the walk that has come least far, until as many matches are
// known as are wanted and no walk can find another before them. One more tells
// that others follow.
func (s *search) run(ctx context.Context) (Found, error) {
	for {
		w := s.last()
		certain := len(s.found)
		if w != nil {
			certain = s.upTo(w.at)
		}
		switch {
		case certain > s.limit:
			return s.first(s.limit, s.found[s.limit-1].Seq), nil
		case w == nil:
			return s.first(certain, 0), nil
		case s.effort <= 0 && w.at != s.start(): // each search gets on
			found := s.first(certain, w.at)
			var err error
			found.Back, err = s.queue.submittedBy(ctx, w.at)
			return found, err
		}
		if err := s.advance(ctx, w); err != nil {
			return Found{}, err
		}
	}
}

// last is the walk that has come least far; nil if all have come to their end.
func (s *search) last() *walk {
	var last *walk
	for _, w := range s.walks {
		if !w.done && (last == nil || s.compare(w.at, last.at) < 0) {
			last = w
		}
	}
	return last
}

// compare orders seqs as the search comes to them.
func (s *search) compare(a, b int64) int {
	if s.up {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(b, a)
}

// upTo counts the matches up to a seq.
func (s *search) upTo(seq int64) int {
	i := slices.IndexFunc(s.found, func(j *Job) bool { return s.compare(j.Seq, seq) > 0 })
	if i < 0 {
		return len(s.found)
	}
	return i
}

// first gives the first n matches, the newest on top.
func (s *search) first(n int, next int64) Found {
	found := s.found[:n]
	if s.up {
		slices.Reverse(found)
	}
	return Found{Jobs: found, Next: next}
}

// add takes matches in, and counts them. A job that changed its state meanwhile
// comes twice.
func (s *search) add(some []*Job) int {
	before := len(s.found)
	for _, j := range some {
		if s.terms.match(j) && !slices.ContainsFunc(s.found, func(f *Job) bool { return f.Seq == j.Seq }) {
			s.found = append(s.found, j)
		}
	}
	slices.SortFunc(s.found, func(a, b *Job) int { return s.compare(a.Seq, b.Seq) })
	return len(s.found) - before
}

const selectSubmitted = "SELECT submitted_at FROM jobs WHERE seq >= ? ORDER BY seq LIMIT 1"

// submittedBy is when the job of a seq came in, or the first one after it.
func (q *Queue) submittedBy(ctx context.Context, seq int64) (time.Time, error) {
	var at int64
	err := q.read.row(ctx, selectSubmitted, []any{seq}, &at)
	if err == ErrNotFound {
		return time.Now(), nil
	}
	return fromMillis(at), err
}
