package main

import (
	"context"
	"os"
	"time"
)

const (
	beat     = 50 * time.Millisecond  // between two looks at the file
	longBeat = time.Second            // a database is read this often anyway
	quickest = 250 * time.Millisecond // between two frames on a terminal, whatever happens
)

// pulse tells when it is worth reading the database again. Every commit writes
// to its -wal file, and looking at that costs next to nothing.
type pulse struct {
	path string
	seen stamp
}

// stamp is what tells one state of a file from another.
type stamp struct {
	size int64
	time time.Time
}

func newPulse(database string) *pulse {
	p := &pulse{path: database + "-wal"}
	p.seen = p.look()
	return p
}

func (p *pulse) look() stamp {
	info, err := os.Stat(p.path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime()}
}

// wait blocks until something may have been committed since the last call, a
// second at most. Its error is that of ctx.
func (p *pulse) wait(ctx context.Context) error {
	return p.waitOr(ctx, func() bool { return false })
}

// waitOr is wait, but returns also when due says so.
func (p *pulse) waitOr(ctx context.Context, due func() bool) error {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for end := time.Now().Add(longBeat); time.Now().Before(end); {
		if now := p.look(); now != p.seen {
			p.seen = now
			return ctx.Err()
		}
		if due() {
			return ctx.Err()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ctx.Err()
}
