package retention

import (
	"context"
	"fmt"
	"time"

	"jobrunner/jobs"
)

// obey carries out the commands to prune.
func (k *Keeper) obey(ctx context.Context) error {
	all, err := k.o.Queue.Prunings(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := k.carryOut(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) carryOut(ctx context.Context, c jobs.Pruning) error {
	rule := k.o.Rule()
	if rule.Forever && !c.Wish.Ruled {
		return k.answer(ctx, c.ID, jobs.Rejected, "retention is forever: say what may go, with older_than or keep")
	}
	wish := c.Wish.Under(rule)
	if err := k.awaitFollowed(ctx); err != nil {
		return err
	}
	p := &pass{Keeper: k, wish: wish, command: c.ID, jobs: c.Jobs, bytes: c.Bytes}
	for end := time.Now().Add(mostPatient); ; rest(ctx, lookPause) {
		if wish.DryRun {
			p.jobs, p.bytes = 0, 0
		}
		if err := p.run(ctx); err != nil {
			return err
		}
		if len(p.lines) == 0 || wish.DryRun || time.Now().After(end) {
			break
		}
	}
	return k.answer(ctx, c.ID, jobs.Completed, p.words())
}

// awaitFollowed waits a moment until those are told who have to be of what has
// happened up to now.
func (k *Keeper) awaitFollowed(ctx context.Context) error {
	last, err := k.o.Queue.LastEvent(ctx)
	for end := time.Now().Add(mostPatient); err == nil && k.o.Followed() < last && time.Now().Before(end); {
		rest(ctx, lookPause)
		err = ctx.Err()
	}
	return err
}

func (k *Keeper) answer(ctx context.Context, id string, state jobs.State, words string) error {
	if err := k.o.Queue.Pruned(ctx, id, state, words); err != nil {
		return err
	}
	jobs.Step("prune: answered")
	k.o.Log.Info().Str("command", id).Str("state", string(state)).Str("reason", words).Msg("prune done")
	return nil
}

// words say what a pass has come to: "pruned 1234 jobs, 5.6 MiB freed".
func (p *pass) words() string {
	size := jobs.RoughSize(p.bytes)
	words := fmt.Sprintf("pruned %s, %s freed", count(p.jobs, "job"), size)
	if p.wish.DryRun {
		words = fmt.Sprintf("would prune %s, %s", count(p.jobs, "job"), size)
	}
	switch n := len(p.lines); {
	case n == 0:
	case p.wish.DryRun:
		words += fmt.Sprintf(", and %s of the queue file", count(n, "line"))
	default:
		words += fmt.Sprintf("; %s for now: the queue file has the line still, as another program uses it", stay(n))
	}
	if p.untold {
		words += "; more when hooks and replies have caught up"
	}
	return words
}

func stay(n int) string {
	if n == 1 {
		return "1 job stays"
	}
	return fmt.Sprintf("%d jobs stay", n)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
