package watcher

import (
	"context"
	"math"
	"sync"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// gate shares out the room that max_pending leaves between inbox and queue
// file. Who finds none waits, with what it needs, and nobody who comes later
// gets what is kept for it: or one that asks for much would never be served.
type gate struct {
	queue   *jobs.Queue
	catalog func() *jobs.Catalog
	log     zerolog.Logger

	mu    sync.Mutex // guards what follows
	wants [sources]want
	turn  int // of who came last
}

// source is where requests come from.
type source int

const (
	fromInbox source = iota
	fromQueueFile
	sources
)

// want is what a source waits for.
type want struct {
	jobs int // that it must find room for; 0 while it does not wait
	turn int // who has the smaller one came first
}

func newGate(q *jobs.Queue, catalog func() *jobs.Catalog, log zerolog.Logger) *gate {
	return &gate{queue: q, catalog: catalog, log: log}
}

// most is how many jobs may be PENDING with what s asks for; 0 means any number.
func (g *gate) most(s source) int {
	most := g.catalog().MaxPending
	if most == 0 {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for other, w := range g.wants {
		if mine := g.wants[s]; source(other) != s && w.jobs > 0 && (mine.jobs == 0 || w.turn < mine.turn) {
			most -= w.jobs
		}
	}
	return max(1, most) // 0 would say something else, and whoever waits is served before all others have gone
}

// room is how many jobs s may ask for now.
func (g *gate) room(ctx context.Context, s source) (int, error) {
	most := g.most(s)
	if most == 0 {
		return math.MaxInt, nil
	}
	pending, err := g.queue.Pending(ctx)
	return max(0, most-pending), err
}

// mayTry reports whether s may find room for so many jobs now; or never, for it is
// refused then: max_pending may have been lowered meanwhile.
func (g *gate) mayTry(ctx context.Context, s source, need int) (bool, error) {
	if most := g.catalog().MaxPending; most > 0 && need > most {
		return true, nil
	}
	room, err := g.room(ctx, s)
	return err == nil && room >= need, err
}

// full notes that s waits for room for so many jobs.
func (g *gate) full(s source, need int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.waits() {
		g.log.Warn().Int("max_pending", g.catalog().MaxPending).
			Msg("so many jobs wait that further requests stay where they are until fewer do")
	}
	w := &g.wants[s]
	if w.jobs == 0 {
		g.turn++
		w.turn = g.turn
	}
	w.jobs = max(1, need)
}

// served notes that s waits no more.
func (g *gate) served(s source) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wants[s].jobs == 0 {
		return
	}
	g.wants[s] = want{}
	if !g.waits() {
		g.log.Info().Msg("there is room for jobs again, requests are taken")
	}
}

// waits reports whether anybody does. The caller holds mu.
func (g *gate) waits() bool {
	for _, w := range g.wants {
		if w.jobs > 0 {
			return true
		}
	}
	return false
}

// waitsFor reports whether s waits.
func (g *gate) waitsFor(s source) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.wants[s].jobs > 0
}

// said tells people that requests wait, or would; "" if there is room.
func (g *gate) said() string {
	g.mu.Lock()
	waits := g.waits()
	g.mu.Unlock()
	if !waits {
		most := g.catalog().MaxPending
		n, err := g.queue.Pending(context.Background())
		if most == 0 || err != nil || n < most {
			return ""
		}
	}
	return "requests are " + waitingFor(g.catalog())
}

// waitingFor says why a request stays where it is while there is no room.
func waitingFor(c *jobs.Catalog) string {
	return "waiting: " + jobs.FullWords(c.MaxPending) + "; taken when fewer do"
}
