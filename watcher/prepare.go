package watcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// prepare repairs what a crash left, loads the lines that the file had, and
// takes a first look, so that nothing starts whose line was removed while no
// daemon ran.
func (q *queueFile) prepare(ctx context.Context) error {
	if err := q.create(); err != nil {
		return err
	}
	if err := q.choose(); err != nil {
		return err
	}
	if err := q.load(ctx); err != nil {
		return err
	}
	if q.side == "" {
		if err := patiently(ctx, q.repair); err != nil {
			return err
		}
	}
	err := patiently(ctx, q.look)
	if errors.Is(err, errNotRegular) {
		return fmt.Errorf("opening the queue file %s: %w: move it away, and a new one is made", q.o.Path, err)
	}
	return err
}

// patiently calls try until it does not return errBusy, for so long that a
// lesser protection than the exclusive section will do.
func patiently(ctx context.Context, try func(context.Context) error) error {
	deadline := time.Now().Add(busyPatience + time.Second)
	for {
		err := try(ctx)
		if !errors.Is(err, errBusy) {
			return err
		}
		if time.Now().After(deadline) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryDelay):
		}
	}
}

// repair finishes the write that a crash tore, and notes which taken lines the
// last write took out of the file, if the crash left no time for that.
func (q *queueFile) repair(ctx context.Context) error {
	pl, repaired, ok, err := q.plan.finish(q.o.Path)
	if err != nil {
		return fmt.Errorf("repairing %s: %w", q.name, err)
	}
	if repaired {
		q.o.Log.Warn().Str("file", q.name).Msg("queue file repaired after a crash in the middle of a write")
	}
	if !ok {
		return nil
	}
	now := millis(time.Now())
	kept := q.taken[:0]
	for _, t := range q.taken {
		if pl.took(t) {
			t.GoneAt = now
		}
		if t.GoneAt == 0 || t.Job == "" {
			kept = append(kept, t)
		}
	}
	q.taken = kept
	if pl.done {
		if err := q.place(ctx, q.leftWith(pl)); err != nil {
			return err
		}
	}
	if err := q.mark(ctx, 0); err != nil {
		return err
	}
	jobs.Step("queue file: repair committed")
	return q.plan.clear()
}

// leftWith gives the finished jobs whose lines a plan took out of the file, that
// was carried out. They are not missed then: a line that waits, of the words that
// once asked for one of them, would be taken for it.
func (q *queueFile) leftWith(pl plan) (left []jobs.Placement) {
	there := map[uuid.UUID]bool{}
	eachLine(pl.New, pl.From, func(_ int64, raw []byte) {
		if l, ok := parseViewLine(raw); ok {
			there[l.id] = true
		}
	})
	eachLine(pl.Old, pl.From, func(_ int64, raw []byte) {
		l, ok := parseViewLine(raw)
		if !ok || there[l.id] {
			return
		}
		if old, known := q.view.line(l.id); known && old.word.Ended() {
			q.view.remove(l.id)
			left = append(left, jobs.Placement{ID: l.id.String(), At: jobs.LineLeft})
		}
	})
	return left
}

// create makes an empty queue file if there is none.
func (q *queueFile) create() error {
	f, err := os.OpenFile(q.o.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making the queue file: %w", err)
	}
	return f.Close()
}

// choose decides whether the file can be written safely where it lies.
func (q *queueFile) choose() error {
	why := ""
	if local, kind, err := q.o.Local(q.o.Path); err != nil {
		return fmt.Errorf("asking for the file system of %s: %w", q.name, err)
	} else if !local {
		why = fmt.Sprintf("it lies on %s", kind)
	}
	if why == "" {
		why = unsafeToWrite(q.o.Path)
	}
	q.side = why
	if why != "" {
		q.say(fmt.Sprintf("%s is only read (%s): the states are in %s, and removing a line there removes no job",
			q.name, why, filepath.Base(sidePath(q.o.Path))))
		q.o.Log.Warn().Str("file", q.name).Str("reason", why).Msg("queue file is only read, states go to the side file")
	}
	return nil
}

// load learns from the database which lines the file should have.
func (q *queueFile) load(ctx context.Context) error {
	_, taken, err := q.o.Queue.Mark(ctx)
	if err != nil {
		return fmt.Errorf("reading how far %s was taken in: %w", q.name, err)
	}
	q.taken = taken
	q.generation = uuid.New() // what the file was meanwhile nobody knows: an offset may come again
	if q.event, err = q.o.Queue.LastEvent(ctx); err != nil {
		return err
	}
	var doubted []string
	err = q.o.Queue.EachLine(ctx, func(j *jobs.Job) error {
		id, err := uuid.Parse(j.ID)
		if err != nil {
			return err
		}
		l := viewLine{id: id, word: j.State, text: jobText(j), placed: fromMillis(j.LineAt)}
		if j.State.Ended() && !j.FinishedAt.IsZero() {
			l.changed = fromMillis(j.FinishedAt.UnixMilli())
		}
		if j.Doubt {
			doubted = append(doubted, j.ID)
			q.gone[id] = true
		}
		q.view.put(l)
		return nil
	})
	if err != nil || q.side == "" {
		return err
	}
	// Where the file is only read it holds no lines of ours to be missed.
	q.view, q.gone = newView(), map[uuid.UUID]bool{}
	return q.settleDoubt(ctx, doubted)
}

// jobText is the fingerprint that the job's line has when nobody changed it.
func jobText(j *jobs.Job) uint32 {
	line := jobs.FormatLine(j)
	return fingerprint(trimSpace([]byte(line[:len(line)-jobs.StateWidth])))
}
