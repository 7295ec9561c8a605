package retention

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options are what a Keeper needs. All but Every and Log must be set.
type Options struct {
	StateDir string // absolute
	Queue    *jobs.Queue
	Rule     func() jobs.Retention // the one in force

	Followed    func() int64                                                           // the event up to which everybody knows who has to
	Undelivered func() map[string]bool                                                 // ids of receipts whose files are not in the outbox yet
	Discard     func(ctx context.Context, name string, taken time.Time) (int64, error) // removes a request file and its reply from the outbox, and gives their size
	LetLeave    func(ids []string)                                                     // has the lines of ended jobs leave the queue file, some time

	Every time.Duration // between two looks for what is too old; zero means an hour
	Log   zerolog.Logger
}

const (
	retryPause  = time.Minute            // after an error, or while lines are to leave the queue file
	lookPause   = 100 * time.Millisecond // between two looks for commands
	mostPatient = 5 * time.Second        // how long a command waits for what keeps jobs from going
)

// Keeper lets go of what need not be kept.
type Keeper struct {
	o    Options
	said string // the last error that was logged
}

// New returns a Keeper that does nothing until Run.
func New(o Options) *Keeper {
	if o.Every <= 0 {
		o.Every = time.Hour
	}
	return &Keeper{o: o}
}

// Run prunes at once, then again and again, and when a command asks for it,
// until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	changed, unsubscribe := k.o.Queue.Changed()
	defer unsubscribe()
	due := time.NewTimer(0)
	defer due.Stop()
	whole := true // the first look goes through everything
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			k.failed(ctx, k.obey(ctx))
		case <-due.C:
			again, err := k.tidy(ctx, whole)
			if k.failed(ctx, err) {
				again = retryPause
			}
			whole = whole && err != nil
			due.Reset(again)
		}
		rest(ctx, lookPause)
	}
}

// failed logs an error, each once, and reports whether there is one.
func (k *Keeper) failed(ctx context.Context, err error) bool {
	words := ""
	if err != nil && ctx.Err() == nil {
		words = err.Error()
	}
	if words != "" && words != k.said {
		k.o.Log.Error().Err(err).Msg("ended jobs cannot be pruned just now, trying again")
	}
	k.said = words
	return err != nil
}

// rest waits for a while, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// finish removes what is left of what commands have let go: a copy of a script may
// have been too young then.
func (k *Keeper) finish(ctx context.Context) error {
	if err := k.empty(ctx, "", nil); err != nil {
		return err
	}
	names, err := jobs.Copies(k.o.StateDir)
	if err != nil {
		return err
	}
	return (&pass{Keeper: k}).copies(ctx, names)
}

// tidy lets go of what is too old by the rule in force, and returns after how
// long to do so again.
func (k *Keeper) tidy(ctx context.Context, whole bool) (again time.Duration, err error) {
	if err := k.obey(ctx); err != nil { // a crash may have left one half done
		return 0, err
	}
	rule := k.o.Rule()
	if rule.Forever {
		return k.o.Every, k.finish(ctx)
	}
	if whole { // where nothing ever went, nothing of it is left
		if whole, err = k.o.Queue.HasPruned(ctx); err != nil {
			return 0, err
		}
	}
	p := &pass{Keeper: k, wish: jobs.Wish{}.Under(rule), whole: whole}
	if err := p.run(ctx); err != nil {
		return 0, err
	}
	if p.jobs > 0 {
		k.o.Log.Info().Int("jobs", p.jobs).Int64("bytes", p.bytes).Msg("old jobs pruned")
	}
	if len(p.lines) > 0 {
		return retryPause, nil
	}
	return k.o.Every, nil
}
