package watcher

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"jobrunner/jobs"
)

// While as many jobs wait as may, request files stay in the inbox, in their
// order. They are looked into all the same: a command that can be carried out
// at once is not kept waiting behind them.

// hurry is how long the start takes requests before it lets jobs start. What
// lies in the inbox then is only looked through for commands, and taken later.
const hurry = 2 * time.Second

// room is how many files may be claimed now, at most claimsAtOnce. It is 0
// while one waits that came before.
func (b *inbox) room(ctx context.Context) int {
	if b.hurries || len(b.waiting) > 0 || slices.ContainsFunc(b.claims, (*claim).waits) {
		return 0
	}
	room, err := b.Gate.room(ctx, fromInbox)
	b.fault("counting what waits", err)
	if err != nil {
		return 0
	}
	if room == 0 {
		b.Gate.full(fromInbox, 1)
	}
	return min(room, claimsAtOnce)
}

// takeOne claims a file if it is ready and there is room for it, or it needs
// none.
func (b *inbox) takeOne(ctx context.Context, c *candidate, s Settings, room bool) {
	was := c.why
	data, ready := b.isReady(c, s)
	b.logIgnored(c, was)
	switch {
	case !ready:
	case room:
		b.claim(c, false)
	default:
		items := parse(c.name, data)
		if c.commands = needsNoRoom(items); c.commands && ahead(ctx, b.Queue, items) {
			b.claim(c, true)
		} else {
			b.park(c)
		}
	}
}

// park lets a file wait in the inbox, behind those that wait already.
func (b *inbox) park(c *candidate) {
	c.parked = true
	b.waiting = append(b.waiting, c)
}

// admit takes what waits and has room now. It reports whether it stopped
// before the end.
func (b *inbox) admit(ctx context.Context, s Settings) (left bool) {
	if len(b.waiting) == 0 && !slices.ContainsFunc(b.claims, (*claim).waits) {
		return false
	}
	end := time.Now().Add(max(scanTime, 2*b.listCost))
	b.work(ctx)
	for len(b.waiting) > 0 && b.blocked.ready() && ctx.Err() == nil {
		waiting := b.waiting
		b.waiting = nil
		n := mayGo(waiting, b.room(ctx))
		b.waiting = waiting[n:]
		b.noteClaimed()
		for _, c := range waiting[:n] {
			b.unpark(c, s)
		}
		b.work(ctx)
		if n == 0 || time.Now().After(end) {
			break
		}
	}
	b.served()
	return len(b.waiting) > 0 && time.Now().After(end)
}

// mayGo counts the first ones of those that wait for which there is room, or
// which need none.
func mayGo(waiting []*candidate, room int) (n int) {
	for n < min(len(waiting), claimsAtOnce) && (waiting[n].commands || room > 0) {
		if !waiting[n].commands {
			room--
		}
		n++
	}
	return n
}

// unpark claims a file that has waited. One that was taken away, or changed,
// is seen anew.
func (b *inbox) unpark(c *candidate, s Settings) {
	if b.known[c.name] != c || !c.parked {
		return
	}
	c.parked = false
	if b.busyNames[strings.ToLower(c.name)] {
		c.due = time.Now().Add(busyFirst)
		return
	}
	if _, ready := b.isReady(c, s); ready {
		b.claim(c, c.commands)
	}
}

// served lets others have the room once nothing waits here.
func (b *inbox) served() {
	if len(b.waiting) == 0 && !slices.ContainsFunc(b.claims, (*claim).waits) {
		b.Gate.served(fromInbox)
	}
}

// waits reports whether the claim is to be committed and has no room.
func (c *claim) waits() bool { return c.receipt == nil && c.need > 0 }

// mayTry reports whether there may be room for a claim now.
func (b *inbox) mayTry(ctx context.Context, c *claim) bool {
	if !c.waits() {
		return true
	}
	may, err := b.Gate.mayTry(ctx, fromInbox, c.need)
	return err == nil && may
}

// isFull notes that a claimed file has no room. It stays claimed, and whoever
// comes later waits behind it.
func (b *inbox) isFull(c *claim, full *jobs.FullError) {
	c.need, c.tries = max(1, full.Adds), backoff{}
	c.why = waitingFor(b.Catalog())
	b.Gate.full(fromInbox, c.need)
}

// needsNoRoom reports whether there is nothing but commands among items, and
// none that makes jobs.
func needsNoRoom(items []jobs.Item) bool {
	return !slices.ContainsFunc(items, func(it jobs.Item) bool { return it.Command == nil || it.Command.Action == jobs.Rerun })
}

// ahead reports whether items are commands that can be carried out while
// requests before them wait. One that names a job that is not known may mean
// one of those, and waits for it.
func ahead(ctx context.Context, q *jobs.Queue, items []jobs.Item) bool {
	if !needsNoRoom(items) {
		return false
	}
	for _, it := range items {
		for _, id := range it.Command.IDs {
			_, err := q.Find(ctx, id)
			if errors.Is(err, jobs.ErrNotFound) {
				_, err = q.Members(ctx, id)
			}
			if errors.Is(err, jobs.ErrNotFound) {
				return false
			}
		}
	}
	return true
}
