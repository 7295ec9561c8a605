package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

const (
	eventJob     = "job"
	eventAllDone = "all_done"

	mostPause = 5 * time.Minute // between two tries, also if the other side asks for more
)

// delivery is one event on its way to one hook.
type delivery struct {
	event int64  // its id, the same whenever it is delivered again
	kind  string // eventJob or eventAllDone
	job   *jobs.Job
	body  []byte

	over chan struct{} // closed when nothing is tried any more
	done bool          // delivered or given up, not merely interrupted; to be read once over is closed
}

// number is the same whenever it is delivered again, and no other delivery to
// the hook has it: that all is done is told behind the last job's event.
func (d *delivery) number() string {
	if d.kind == eventAllDone {
		return strconv.FormatInt(d.event, 10) + "-all"
	}
	return strconv.FormatInt(d.event, 10)
}

// settled reports whether the delivery is delivered or given up.
func (d *delivery) settled() bool {
	select {
	case <-d.over:
		return d.done
	default:
		return false
	}
}

// jobOf gives the job of an event as it ended then; nil if it is known no more.
func jobOf(ctx context.Context, q *jobs.Queue, e jobs.Event) (*jobs.Job, error) {
	j, err := q.Detail(ctx, e.Job)
	if errors.Is(err, jobs.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return j.AsOf(e), nil
}

func jobDelivery(event int64, j *jobs.Job) (*delivery, error) {
	body, err := json.Marshal(j)
	return &delivery{event: event, kind: eventJob, job: j, body: body, over: make(chan struct{})}, err
}

func allDoneDelivery(event int64, states map[jobs.State]int) (*delivery, error) {
	body, err := json.Marshal(struct {
		Event  string             `json:"event"`
		States map[jobs.State]int `json:"states"`
	}{eventAllDone, states})
	return &delivery{event: event, kind: eventAllDone, body: body, over: make(chan struct{})}, err
}

// failure is why a try failed, in words that tell no secret.
type failure struct {
	words string
	again bool          // another try may do better
	after time.Duration // not before; 0 if nobody said
}

// deliver tries until the event is delivered, given up, or work ends; once ctx
// has ended there is no further try.
func (f *follower) deliver(ctx, work context.Context, d *delivery) {
	for try := 0; ; try++ {
		if !f.enter(work) {
			return
		}
		h := f.hook.Load()
		fail := f.try(work, h, d)
		f.leave()
		switch {
		case fail == nil:
			f.aboutDelivery(f.o.Log.Debug(), d).Msg("hook delivered")
			d.done = true
			return
		case work.Err() != nil:
			return
		case !fail.again || try >= h.Retries:
			f.giveUp(work, h, d, fail, try+1)
			d.done = true
			return
		}
		wait := pauseAfter(f.o.Pause, try, fail.after)
		f.aboutDelivery(f.o.Log.Info(), d).Str("reason", fail.words).Dur("wait", wait).Msg("hook failed, trying again")
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// enter waits for a place and reports false if work ends before there is one.
func (f *follower) enter(work context.Context) bool {
	select {
	case f.turns <- struct{}{}:
	case <-work.Done():
		return false
	}
	select {
	case f.places <- struct{}{}:
		return true
	case <-work.Done():
		<-f.turns
		return false
	}
}

func (f *follower) leave() {
	<-f.places
	<-f.turns
}

// try makes one try; nil means delivered.
func (f *follower) try(work context.Context, h *bound, d *delivery) *failure {
	if len(h.Command) > 0 {
		return f.command(work, h, d)
	}
	return f.post(work, h, d)
}

// pauseAfter is the wait after the try of that number: first, then doubled each
// time; longer if the other side asks for it.
func pauseAfter(first time.Duration, try int, asked time.Duration) time.Duration {
	wait := first
	for range try {
		wait = min(2*wait, mostPause)
	}
	return max(wait, min(asked, mostPause))
}

// giveUp says that an event could not be delivered. The job stays as it is.
func (f *follower) giveUp(ctx context.Context, h *bound, d *delivery, fail *failure, tries int) {
	words := fmt.Sprintf("hook %s failed: %s", describe(h), fail.words)
	if tries > 1 {
		words += fmt.Sprintf(" (%d tries)", tries)
	}
	f.aboutDelivery(f.o.Log.Warn(), d).Str("reason", fail.words).Int("tries", tries).Msg("hook failed")
	job := ""
	if d.job != nil {
		job = d.job.ID
	}
	if err := f.o.Queue.NoteHook(ctx, job, words); err != nil {
		f.aboutDelivery(f.o.Log.Error(), d).Err(err).Msg("a failed hook is not noted")
	}
}

// describe names a hook for people: what it is and where it is configured. Of
// an address only the host is told, the rest may be a secret.
func describe(h *bound) string {
	what := ""
	switch u, err := url.Parse(h.URL); {
	case len(h.Command) > 0:
		what = jobs.Sanitize(h.Command[0])
	case err == nil:
		what = u.Host
	}
	if h.At.File == "" {
		return what
	}
	return what + " (" + h.At.File + ":" + strconv.Itoa(h.At.Line) + ")"
}

// about gives an entry of the log the fields that every one about the hook has.
func (f *follower) about(e *zerolog.Event) *zerolog.Event {
	return e.Str("hook", describe(f.hook.Load()))
}

func (f *follower) aboutDelivery(e *zerolog.Event, d *delivery) *zerolog.Event {
	e = f.about(e).Str("event", d.kind).Str("delivery", d.number())
	if d.job != nil {
		e = e.Str("job", d.job.ID).Str("state", string(d.job.State))
	}
	return e
}
