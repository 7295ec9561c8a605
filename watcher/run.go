package watcher

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// A look is repeated no sooner than after patience times what the last one
// took, so that a folder of a hundred thousand files, or replies of megabytes,
// leave the processor to others; but at most after mostPatience.
const (
	patience     = 4
	mostPatience = time.Second
	replyPause   = 20 * time.Millisecond // least time between two looks for changed jobs
)

// turns says when the parts of run are due.
type turns struct {
	scan  time.Time // the next look through the folder
	calm  time.Time // but not before this, whatever the events say
	reply time.Time // the next look for changed jobs; zero if none is known
	pause time.Time // but not before this
}

// run takes requests and keeps replies current until ctx ends.
func (b *inbox) run(ctx context.Context) error {
	b.folder = watchFolder(b.dir, b.Log)
	defer func() { b.folder.Close(); b.folder = nil }()
	changed, unsubscribe := b.Queue.Changed()
	defer unsubscribe()
	events := b.startProbe(ctx)
	defer func() { <-events.done }()

	t := turns{scan: time.Now(), reply: time.Now()}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-b.folder.C():
			b.hinted(ctx)
			t.scan = latest(time.Now(), t.calm)
		case <-changed:
			t.reply = latest(time.Now(), t.pause)
			if b.admit(ctx, b.Settings()) {
				t.scan = time.Now()
			}
		case native := <-events.native:
			b.tellEvents(native)
		case <-timer.C:
		}
		if !time.Now().Before(t.scan) {
			if b.folder.Check() {
				b.fault("finding claimed files", b.findClaims(ctx))
				<-events.done
				events = b.startProbe(ctx)
			}
			b.scanTurn(ctx, &t)
		}
		if !t.reply.IsZero() && !time.Now().Before(t.reply) {
			b.replyTurn(ctx, &t)
		}
		next := t.scan
		if !t.reply.IsZero() && t.reply.Before(next) {
			next = t.reply
		}
		timer.Reset(time.Until(next))
	}
	_ = b.saveCursor(context.WithoutCancel(ctx), 0) // what is not saved is only looked at again
	return nil
}

// scanTurn looks through the folder and says when to do so again: at the
// latest after poll_interval.
func (b *inbox) scanTurn(ctx context.Context, t *turns) {
	again, _ := b.scan(ctx)
	now := time.Now()
	t.calm = now.Add(min(patience*b.listCost, mostPatience))
	t.scan = now.Add(jobs.UntilBeat(b.Settings().PollInterval))
	if again > 0 && now.Add(again).Before(t.scan) {
		t.scan = now.Add(again)
		if !b.left {
			t.scan = latest(t.scan, t.calm)
		}
	}
}

// replyTurn brings the replies up to date.
func (b *inbox) replyTurn(ctx context.Context, t *turns) {
	start := time.Now()
	err := b.follow(ctx)
	b.fault("following the queue", err)
	now := time.Now()
	t.pause = now.Add(min(max((effort-1)*now.Sub(start), replyPause), mostPatience))
	switch {
	case err != nil:
		t.reply = now.Add(mostPatience)
	case len(b.replies.behind) > 0:
		t.reply = latest(latest(b.replies.tries.at, t.pause), b.replies.pace.due(b.replies.behind))
	default:
		t.reply = time.Time{}
	}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// probing is a test under way whether events arrive.
type probing struct {
	native chan bool
	done   chan struct{} // closed at its end
}

func (b *inbox) startProbe(ctx context.Context) probing {
	p := probing{native: make(chan bool, 1), done: make(chan struct{})}
	f := b.folder
	go func() {
		defer close(p.done)
		p.native <- probe(ctx, f, b.dir, probeWait)
	}()
	return p
}

// tellEvents logs and shows whether events arrive.
func (b *inbox) tellEvents(native bool) {
	text := "native"
	if !native {
		text = "polling every " + b.Settings().PollInterval.String()
	}
	b.mu.Lock()
	was := b.public.Events
	b.public.Events = text
	b.mu.Unlock()
	if was != text {
		b.Log.Info().Str("folder", b.dir).Str("events", text).Msg("inbox is watched")
	}
}
