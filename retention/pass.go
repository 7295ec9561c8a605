package retention

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// pass is one walk through all that may go.
type pass struct {
	*Keeper
	wish    jobs.Wish
	command string // id of the command that asks for it; "" if none does
	whole   bool   // also what is younger is looked through for what a crash has left

	jobs   int   // that are gone, or would be
	bytes  int64 // that their files took
	lines  []string
	untold bool
}

// run takes away what may go, oldest first. It may be called again.
func (p *pass) run(ctx context.Context) error {
	p.lines, p.untold = nil, false
	copies, err := jobs.Copies(p.o.StateDir)
	if err != nil {
		return err
	}
	hashes := map[string]bool{}
	for hash := range copies {
		hashes[hash] = hash != ""
	}
	if !p.wish.DryRun {
		if err := p.empty(ctx, p.command, p); err != nil { // of what a crash has left
			return err
		}
	}
	pruner, err := p.o.Queue.Pruner(ctx, jobs.PruneOptions{
		Wish: p.wish, Now: time.Now(), Command: p.command, Copies: hashes, Floor: p.o.Followed, Undelivered: p.o.Undelivered,
	})
	if err != nil {
		return err
	}
	if err := p.walk(ctx, pruner); err != nil || p.wish.DryRun {
		return err
	}
	if len(p.lines) > 0 {
		p.o.LetLeave(p.lines)
	}
	if err := p.receipts(ctx, pruner.Before); err != nil {
		return err
	}
	if err := p.events(ctx, pruner.Before); err != nil {
		return err
	}
	return p.copies(ctx, copies)
}

// walk goes through the jobs.
func (p *pass) walk(ctx context.Context, pruner *jobs.Pruner) error {
	for done := false; !done; {
		begun := time.Now()
		s, err := pruner.Next(ctx)
		if err != nil {
			return err
		}
		done = s.Done
		p.jobs += s.Jobs
		p.lines = append(p.lines, s.Lines...)
		p.untold = p.untold || s.Untold
		if p.wish.DryRun {
			p.bytes += p.sizes(s.Trash)
		} else if err := p.remove(ctx, s.Trash, p.command, p); err != nil {
			return err
		}
		if err := breathe(ctx, begun); err != nil {
			return err
		}
	}
	return nil
}

// breathe rests for as long as the work since begun took, so that half of the
// time is others'.
func breathe(ctx context.Context, begun time.Time) error {
	rest(ctx, time.Since(begun))
	return ctx.Err()
}

// receipts lets go of the receipts of which no job is left.
func (p *pass) receipts(ctx context.Context, before time.Time) error {
	for seq, more := int64(0), true; more; more = seq > 0 {
		begun := time.Now()
		next, trash, err := p.o.Queue.PruneReceipts(ctx, seq, before, p.until(before), p.o.Undelivered)
		if err == nil {
			err = p.remove(ctx, trash, p.command, p)
		}
		if err == nil {
			err = breathe(ctx, begun)
		}
		if err != nil {
			return err
		}
		seq = next
	}
	return nil
}

// events removes the events of what is gone.
func (p *pass) events(ctx context.Context, before time.Time) error {
	floor := p.o.Followed()
	for id, more := int64(0), true; more; more = id > 0 {
		begun := time.Now()
		next, err := p.o.Queue.PruneEvents(ctx, id, floor, before, p.until(before))
		if err == nil {
			err = breathe(ctx, begun)
		}
		if err != nil {
			return err
		}
		id = next
	}
	jobs.Step("prune: events removed")
	return nil
}

// until is how far the walks go that find what is left of jobs that are gone.
func (p *pass) until(before time.Time) time.Time {
	if p.whole {
		return time.Now().Add(24 * time.Hour) // clocks were set back before
	}
	return before
}
