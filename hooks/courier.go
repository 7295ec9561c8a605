package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options is what a Courier needs. Queue and Catalog must be set.
type Options struct {
	Queue   *jobs.Queue          // open for writing
	Catalog func() *jobs.Catalog // the hooks in force; never nil
	Log     zerolog.Logger       // the zero value logs nothing

	Pause time.Duration // between the first try of a webhook and the second; doubles with each; zero means 1 s
	Grace time.Duration // what is under way when Run is to end may take so long; zero means 5 s
}

// mostAtOnce bounds the commands and calls that are under way, over all hooks,
// and mostOfOne those of one hook: one that hangs must not take all places.
const (
	mostAtOnce = 4
	mostOfOne  = 2
)

// Courier delivers what jobs have come to.
type Courier struct {
	o       Options
	reload  chan struct{}
	places  chan struct{} // holds a token for each command or call under way
	cursors *cursors
	client  *http.Client
}

// New returns a Courier that does nothing until Prepare and Run.
func New(o Options) *Courier {
	if o.Pause <= 0 {
		o.Pause = time.Second
	}
	if o.Grace <= 0 {
		o.Grace = 5 * time.Second
	}
	return &Courier{
		o: o, reload: make(chan struct{}, 1), places: make(chan struct{}, mostAtOnce),
		cursors: &cursors{queue: o.Queue}, client: newClient(),
	}
}

// Reload says that Options.Catalog gives something new.
func (c *Courier) Reload() {
	select {
	case c.reload <- struct{}{}:
	default:
	}
}

// Prepare notes from where on hooks are told that were never seen before:
// nothing that ended earlier. It is to be called before jobs are taken in.
func (c *Courier) Prepare(ctx context.Context) error {
	return c.cursors.keep(ctx, configured(c.o.Catalog()))
}

// Told gives the event up to which every hook has been told, or given up; 0
// before Prepare. What is behind it must stay in the queue.
func (c *Courier) Told() int64 { return c.cursors.told() }

// Run delivers until ctx ends and returns nil once nothing is under way. What
// was not delivered by then is delivered by the next Run.
func (c *Courier) Run(ctx context.Context) error {
	defer c.client.CloseIdleConnections()
	following := map[string]*follower{}
	retry := time.NewTimer(0)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			for _, f := range following {
				<-f.ended
			}
			return nil
		case <-c.reload:
		case <-retry.C:
		}
		if err := c.follow(ctx, following); err != nil && ctx.Err() == nil {
			c.o.Log.Error().Err(err).Msg("hooks cannot be read, trying again")
			retry.Reset(retryRead)
		}
	}
}

// follow starts and ends followers so that each hook in force has one.
func (c *Courier) follow(ctx context.Context, following map[string]*follower) error {
	hooks := configured(c.o.Catalog())
	for key, f := range following {
		if _, stays := hooks[key]; !stays {
			f.cancel()
			<-f.ended
			delete(following, key)
		}
	}
	if err := c.cursors.keep(ctx, hooks); err != nil {
		return err
	}
	for key, h := range hooks {
		if f := following[key]; f != nil {
			f.hook.Store(&h)
			continue
		}
		f := newFollower(c, key, h)
		following[key] = f
		var own context.Context
		own, f.cancel = context.WithCancel(ctx)
		go func() {
			defer close(f.ended)
			defer f.cancel()
			f.run(own)
		}()
	}
	return nil
}

// bound is a hook and the type for whose jobs it is run; "" means all.
type bound struct {
	jobs.Hook
	scope string
}

// configured gives the hooks of a catalog by a key that stays the same for as
// long as the hook does the same thing, wherever it stands in the file.
func configured(c *jobs.Catalog) map[string]bound {
	all := map[string]bound{}
	add := func(scope string, list []jobs.Hook) {
		for _, h := range list {
			key, n := keyOf(scope, h), 1
			for taken := key; ; taken = key + "#" + strconv.Itoa(n) {
				if _, ok := all[taken]; !ok {
					all[taken] = bound{h, scope}
					break
				}
				n++
			}
		}
	}
	add("", c.OnFinish)
	for name, t := range c.Types {
		add(name, t.OnFinish)
	}
	return all
}

// keyOf is a digest, because an address may hold a secret.
func keyOf(scope string, h jobs.Hook) string {
	parts := slices.Concat([]string{scope, h.URL}, h.Command)
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}
