package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Brakes are the commands in force that keep jobs from starting.
type Brakes struct {
	All      bool            // everything is paused
	Types    map[string]bool // these types are paused
	Draining bool
}

// drainKey marks in meta that the queue is being drained, so that a daemon
// that was killed goes on with it.
const drainKey = "drain"

const (
	selectPauses = "SELECT type FROM pauses ORDER BY type"
	selectDrain  = "SELECT count(*) FROM meta WHERE key = '" + drainKey + "'"
)

// scan takes a row of selectPauses.
func (b *Brakes) scan(row scanner) error {
	var name string
	err := row.Scan(&name)
	if name == "" {
		b.All = true
	} else {
		b.Types[name] = true
	}
	return err
}

// Brakes reads the commands in force that keep jobs from starting.
func (q *Queue) Brakes(ctx context.Context) (Brakes, error) {
	b := Brakes{Types: map[string]bool{}}
	err := q.read.each(ctx, selectPauses, nil, b.scan)
	if err == nil {
		err = q.read.row(ctx, selectDrain, nil, &b.Draining)
	}
	if err != nil {
		return Brakes{}, fmt.Errorf("reading what is paused: %w", err)
	}
	return b, nil
}

func (t *tx) brakes() (Brakes, error) {
	b := Brakes{Types: map[string]bool{}}
	err := t.each(selectPauses, nil, b.scan)
	if err == nil {
		err = t.row(selectDrain, nil, &b.Draining)
	}
	return b, err
}

// brake carries out a command that concerns what may start.
func (t *tx) brake(c Command) (Outcome, error) {
	apply := map[Action]func(string, Brakes) (string, error){Pause: t.pause, Resume: t.resume, Drain: t.drain}[c.Action]
	b, err := t.brakes()
	if err != nil {
		return Outcome{}, err
	}
	words, err := apply(c.Type, b)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{State: Completed, Reason: words}, t.event("", string(c.Action), "", words)
}

func (t *tx) pause(name string, b Brakes) (string, error) {
	words := "paused"
	switch {
	case name == "" && b.All:
		return "was already paused", nil
	case b.Types[name]:
		return "type " + name + " was already paused", nil
	case name != "":
		words = "paused type " + name
	}
	_, err := t.change("INSERT OR IGNORE INTO pauses (type, at) VALUES (?,?)", name, toMillis(t.now))
	return words, err
}

func (t *tx) resume(name string, b Brakes) (string, error) {
	if name == "" {
		return t.resumeAll(b)
	}
	words := "resumed type " + name
	if !b.Types[name] {
		words = "type " + name + " was not paused"
	}
	if b.All {
		words += "; all types are paused still"
	}
	_, err := t.change("DELETE FROM pauses WHERE type = ?", name)
	return words, err
}

// resumeAll leaves the types alone that were paused by name.
func (t *tx) resumeAll(b Brakes) (string, error) {
	words := "was not paused"
	switch {
	case b.All && b.Draining:
		words = "resumed, no longer draining"
	case b.Draining:
		words = "no longer draining"
	case b.All:
		words = "resumed"
	}
	var names []string
	for name := range b.Types {
		names = append(names, name)
	}
	slices.Sort(names)
	switch len(names) {
	case 0:
	case 1:
		words += "; type " + names[0] + " stays paused"
	default:
		words += "; types " + strings.Join(names, ", ") + " stay paused"
	}
	_, err := t.change("DELETE FROM pauses WHERE type = ''")
	if err == nil {
		err = t.endDrain()
	}
	return words, err
}

func (t *tx) drain(_ string, b Brakes) (string, error) {
	var running int
	err := t.row("SELECT ifnull(sum(n), 0) FROM counters WHERE state = 'RUNNING'", nil, &running)
	if err == nil && !b.Draining {
		_, err = t.change("INSERT OR IGNORE INTO meta VALUES (?,?)", drainKey, t.now.UTC().Format(TimeFormat))
	}
	words := "draining"
	if b.Draining {
		words = "is already draining"
	}
	switch running {
	case 0:
		words += ": no job runs"
	case 1:
		words += ": 1 job still runs"
	default:
		words += fmt.Sprintf(": %d jobs still run", running)
	}
	return words, err
}

func (t *tx) endDrain() error {
	_, err := t.change("DELETE FROM meta WHERE key = ?", drainKey)
	return err
}

// EndDrain ends a drain: the daemon is about to end, or has.
func (q *Queue) EndDrain(ctx context.Context) error {
	if err := q.write(ctx, (*tx).endDrain); err != nil {
		return fmt.Errorf("ending the drain: %w", err)
	}
	return nil
}

const selectDue = "SELECT ifnull(min(due), 0) FROM jobs INDEXED BY jobs_due WHERE state = 'PENDING' AND due > 0"

// Wake lets PENDING jobs start whose time has come, and returns when the next
// one's comes; zero if none waits for its time. It writes only if there are any.
func (q *Queue) Wake(ctx context.Context, now time.Time) (next time.Time, err error) {
	var due int64
	err = q.read.row(ctx, selectDue, nil, &due)
	if err == nil && due > 0 && due <= now.UnixMilli() {
		err = q.write(ctx, func(t *tx) error {
			if err := t.wake(now.UnixMilli()); err != nil {
				return err
			}
			return t.row(selectDue, nil, &due)
		})
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("waking jobs whose time has come: %w", err)
	}
	return fromMillis(due), nil
}

const (
	tellDue = `INSERT INTO events (at, job, kind, state, reason)
		SELECT ?, id, '` + EventDue + `', state, '' FROM jobs INDEXED BY jobs_due
		WHERE state = 'PENDING' AND due > 0 AND due <= ? ORDER BY priority DESC, seq`
	clearDue = "UPDATE jobs INDEXED BY jobs_due SET due = 0 WHERE state = 'PENDING' AND due > 0 AND due <= ?"
)

func (t *tx) wake(now int64) error {
	_, err := t.change(tellDue, toMillis(t.now), now)
	if err == nil {
		_, err = t.change(clearDue, now)
	}
	return err
}
