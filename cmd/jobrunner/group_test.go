package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// A part that fails ends the others, and its error is the group's.
func TestGroup(t *testing.T) {
	g, want := newGroup(t.Context()), errors.New("broken")
	var ended atomic.Int32
	for range 3 {
		g.run(func(ctx context.Context) error {
			<-ctx.Done()
			ended.Add(1)
			return nil
		})
	}
	g.run(func(context.Context) error { return want })
	if err := g.wait(); err != want {
		t.Errorf("got %v, want %v", err, want)
	}
	if n := ended.Load(); n != 3 {
		t.Errorf("%d parts had ended, want 3", n)
	}
}
