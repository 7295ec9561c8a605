package main

import (
	"context"
	"sync"
)

// group runs the long-lived parts of the daemon: when one of them ends with an
// error, the others are ended too.
type group struct {
	ctx    context.Context // ends when the parts are to end
	cancel context.CancelFunc
	parts  sync.WaitGroup

	once sync.Once // guards err
	err  error     // the first error of a part
}

func newGroup(ctx context.Context) *group {
	g := new(group)
	g.ctx, g.cancel = context.WithCancel(ctx)
	return g
}

// run starts a part, which is to return nil once its context has ended.
func (g *group) run(part func(context.Context) error) {
	g.parts.Go(func() {
		if err := part(g.ctx); err != nil {
			g.fail(err)
		}
	})
}

// fail ends all parts on account of err.
func (g *group) fail(err error) {
	g.once.Do(func() { g.err = err })
	g.cancel()
}

// wait blocks until every part has ended, and returns the first error.
func (g *group) wait() error {
	g.parts.Wait()
	g.cancel()
	return g.err
}
