package hooks

import (
	"context"
	"sync/atomic"
	"time"

	"jobrunner/jobs"
)

const (
	// window bounds what of one hook is under way or waits for its next try, so
	// that memory does not grow with what is to be delivered.
	window = 8
	// batch is how many events are read at once.
	batch = 100
	// unsaved is how many events without a delivery a cursor may lag behind.
	unsaved = 1000
	// retryRead is when the queue is tried again after an error.
	retryRead = time.Second
)

// follower tells one hook of the events that concern it. All fields but hook
// and turns are touched by its own goroutine alone.
type follower struct {
	*Courier
	key    string
	hook   atomic.Pointer[bound]
	cancel context.CancelFunc
	ended  chan struct{} // closed when it has ended
	turns  chan struct{} // holds a token for each command or call of the hook that is under way or next

	behind  bool          // events may be there that were not read
	seen    int64         // events up to this one are delivered, under way, or of no concern
	open    []*delivery   // under way, in order of their events
	closing chan struct{} // gets a token when one of them comes to its end
	last    int64         // the newest event that ended a job since it was told that all is done; 0 if none
}

func newFollower(c *Courier, key string, h bound) *follower {
	f := &follower{Courier: c, key: key, ended: make(chan struct{}), closing: make(chan struct{}, 1), seen: c.cursors.of(key),
		turns: make(chan struct{}, mostOfOne)}
	f.hook.Store(&h)
	return f
}

// run delivers until ctx ends; what is under way then is given the grace.
func (f *follower) run(ctx context.Context) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	changed, unsubscribe := f.o.Queue.Changed()
	defer unsubscribe()
	retry := time.NewTimer(0)
	defer retry.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-changed:
		case <-f.closing:
		case <-retry.C:
		}
		if err := f.turn(ctx, work); err != nil && ctx.Err() == nil {
			f.about(f.o.Log.Error()).Err(err).Msg("hook waits for the queue, trying again")
			retry.Reset(retryRead)
		}
	}
	f.end(ctx, work, stop)
}

// end starts what is still to be told, and waits for what is under way.
func (f *follower) end(ctx, work context.Context, stop context.CancelFunc) {
	timer := time.AfterFunc(f.o.Grace, stop)
	defer timer.Stop()
	err := f.turn(ctx, work) // the last job of all may have ended a moment ago
	for _, d := range f.open {
		<-d.over
	}
	save := context.WithoutCancel(ctx)
	if err == nil {
		err = f.settle(save)
	}
	if err == nil {
		err = f.cursors.move(save, f.key, f.position(f.open))
	}
	if err != nil && work.Err() == nil {
		f.about(f.o.Log.Error()).Err(err).Msg("how far the hook has come is not noted, it may be run again")
	}
}

// turn takes note of what has come to its end and starts what is next. Once ctx
// has ended nothing is tried again; work ends what is under way.
func (f *follower) turn(ctx, work context.Context) error {
	if err := f.settle(work); err != nil {
		return err
	}
	for f.behind = true; f.behind && len(f.open) < window; {
		events, err := f.o.Queue.Events(work, f.seen, batch)
		if err == nil {
			err = f.tellAll(ctx, work, events)
		}
		if err != nil {
			return err
		}
	}
	at := f.position(f.open)
	f.cursors.pass(f.key, at)
	if at > f.cursors.of(f.key)+unsaved {
		return f.cursors.move(work, f.key, at)
	}
	return nil
}

// tellAll starts deliveries of events in their order for as long as there is
// room.
func (f *follower) tellAll(ctx, work context.Context, events []jobs.Event) error {
	for _, e := range events {
		if len(f.open) == window {
			return nil
		}
		if err := f.tell(ctx, work, e); err != nil {
			return err
		}
		f.seen = e.ID
	}
	if len(events) == batch {
		return nil
	}
	if err := f.allDone(ctx, work); err != nil {
		return err
	}
	f.behind = false
	return nil
}

// settle drops deliveries that have come to their end and stores the cursor
// behind them.
func (f *follower) settle(ctx context.Context) error {
	n := 0
	for n < len(f.open) && f.open[n].settled() {
		n++
	}
	if n == 0 {
		return nil
	}
	left := append([]*delivery(nil), f.open[n:]...)
	if err := f.cursors.move(ctx, f.key, f.position(left)); err != nil {
		return err
	}
	f.open = left
	return nil
}

// position is the event up to which all is delivered or given up, if only those
// deliveries are still open.
func (f *follower) position(open []*delivery) int64 {
	at := f.seen
	if len(open) > 0 {
		at = open[0].event - 1
	}
	if f.behind && f.last > 0 && f.hook.Load().AllDone {
		at = min(at, f.last-1) // it is not yet known whether that was the last job
	}
	return at
}

// tell starts the delivery of an event, if it concerns the hook.
func (f *follower) tell(ctx, work context.Context, e jobs.Event) error {
	h := f.hook.Load()
	if !e.Ends() || !h.Wants(e.State) && !h.AllDone {
		return nil
	}
	j, err := jobOf(work, f.o.Queue, e)
	if err != nil || j == nil || h.scope != "" && h.scope != j.Type {
		return err
	}
	if e.State != jobs.Rejected {
		f.last = e.ID
	}
	if !h.Wants(e.State) {
		return nil
	}
	d, err := jobDelivery(e.ID, j)
	if err == nil {
		f.start(ctx, work, d)
	}
	return err
}

// allDone tells that the queue ran empty, once after jobs have ended.
func (f *follower) allDone(ctx, work context.Context) error {
	if f.last == 0 || !f.hook.Load().AllDone {
		return nil
	}
	stats, err := f.o.Queue.Stats(work)
	if err != nil || stats.States[jobs.Pending]+stats.States[jobs.Running] > 0 {
		return err
	}
	d, err := allDoneDelivery(f.last, stats.States)
	if err == nil {
		f.last = 0
		f.start(ctx, work, d)
	}
	return err
}

func (f *follower) start(ctx, work context.Context, d *delivery) {
	f.open = append(f.open, d)
	go func() {
		f.deliver(ctx, work, d)
		close(d.over)
		select {
		case f.closing <- struct{}{}:
		default:
		}
	}()
}
