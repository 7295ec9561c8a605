package main

import (
	"context"
	"time"
)

// repeat looks again and again until ctx ends, which is no error: when
// something was committed, when the terminal has another size, and every second.
func (c *client) repeat(ctx context.Context, s *screen, look func() error) error {
	p := newPulse(c.database())
	resized, stop := resizes()
	defer stop()
	for {
		err := c.reopen()
		if err == nil {
			err = look()
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if p.rest(ctx, s.terminal(), resized) != nil {
			return nil
		}
	}
}

// rest waits until a list is to be looked at again.
func (p *pulse) rest(ctx context.Context, terminal bool, resized <-chan struct{}) error {
	pause := beat
	if terminal {
		pause = quickest
	}
	select {
	case <-time.After(pause):
	case <-resized:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
	return p.waitOr(ctx, func() bool {
		select {
		case <-resized:
			return true
		default:
			return false
		}
	})
}
