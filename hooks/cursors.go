package hooks

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"sync"

	"jobrunner/jobs"
)

// cursorKey is where the queue keeps how far the hooks have come: a JSON object
// of event ids by the hooks' keys.
const cursorKey = "hooks.cursor"

// cursors say of each hook up to which event all is delivered or given up.
type cursors struct {
	queue *jobs.Queue

	mu     sync.Mutex       // guards the following, and keeps an older one from being stored over a newer one
	at     map[string]int64 // nil until it is read
	passed map[string]int64 // how far each has come since, with nothing to deliver
}

// keep makes the cursors those of the hooks given: who is new begins at the
// newest event, who is gone is forgotten.
func (c *cursors) keep(ctx context.Context, hooks map[string]bound) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.read(ctx); err != nil {
		return err
	}
	last, err := c.queue.LastEvent(ctx)
	if err != nil {
		return err
	}
	at := make(map[string]int64, len(hooks))
	for key := range hooks {
		at[key] = last
		if old, ok := c.at[key]; ok {
			at[key] = min(old, last) // an older copy of the database may have taken its place
		}
	}
	if maps.Equal(at, c.at) {
		return nil
	}
	return c.store(ctx, at)
}

func (c *cursors) read(ctx context.Context) error {
	if c.at != nil {
		return nil
	}
	text, err := c.queue.Meta(ctx, cursorKey)
	if err != nil {
		return err
	}
	at := map[string]int64{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &at); err != nil {
			return fmt.Errorf("reading %s: %w", cursorKey, err)
		}
	}
	c.at = at
	return nil
}

// store writes the cursors down before they count.
func (c *cursors) store(ctx context.Context, at map[string]int64) error {
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	if err := c.queue.PutMeta(ctx, cursorKey, string(text)); err != nil {
		return err
	}
	c.at = at
	return nil
}

// pass notes that a hook has come to an event, without storing that.
func (c *cursors) pass(key string, event int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.passed == nil {
		c.passed = map[string]int64{}
	}
	c.passed[key] = event
}

// told gives the event up to which all hooks have delivered everything, or given
// it up.
func (c *cursors) told() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == nil {
		return 0
	}
	least := int64(math.MaxInt64)
	for key, at := range c.at {
		least = min(least, max(at, c.passed[key]))
	}
	return least
}

// of gives the cursor of a hook that keep knows.
func (c *cursors) of(key string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at[key]
}

// move takes the cursor of a hook on to an event.
func (c *cursors) move(ctx context.Context, key string, event int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at[key] == event {
		return nil
	}
	at := maps.Clone(c.at)
	at[key] = event
	return c.store(ctx, at)
}
