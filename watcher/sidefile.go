package watcher

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// Where the queue file cannot be written safely it is only read, and the lines
// with their states stand in a file beside it, which is replaced atomically.

// sidePath is the file of states that belongs to the queue file at path:
// job_queue.status.txt for job_queue.txt.
func sidePath(path string) string {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext) + ".status" + ext
}

// applySide writes the side file anew if something changed.
func (q *queueFile) applySide(ctx context.Context) error {
	if !q.unplaced && !q.applied.IsZero() || time.Since(q.applied) < q.sideWait {
		return nil
	}
	q.unplaced = false
	begun := time.Now()
	if err := q.placeAll(ctx); err != nil {
		return err
	}
	data, left, err := q.sideLines(ctx)
	if err != nil {
		return err
	}
	if err := writeFileAtomic(sidePath(q.o.Path), data, 0o644); err != nil {
		return fmt.Errorf("writing the file of states: %w", err)
	}
	q.applied = time.Now()
	q.sideWait = effort * q.applied.Sub(begun)
	return q.o.Queue.PlaceLines(ctx, left)
}

// placeAll gives every job that wants a line one in the side file.
func (q *queueFile) placeAll(ctx context.Context) error {
	for {
		wanted, err := q.o.Queue.LinesWanted(ctx, maxPlaced)
		if err != nil {
			return fmt.Errorf("reading which jobs want a line: %w", err)
		}
		if len(wanted) == 0 {
			return nil
		}
		p := make([]jobs.Placement, len(wanted))
		now := millis(time.Now())
		for i, j := range wanted {
			p[i] = jobs.Placement{ID: j.ID, Seq: j.Seq, At: now}
		}
		if err := q.o.Queue.PlaceLines(ctx, p); err != nil {
			return fmt.Errorf("noting which lines are in the file of states: %w", err)
		}
	}
}

// sideLines gives the text of the side file, and the finished jobs that are
// over queue_keep and not in it.
func (q *queueFile) sideLines(ctx context.Context) ([]byte, []jobs.Placement, error) {
	type sideLine struct {
		id       string
		text     string
		finished time.Time
	}
	var all, finished []*sideLine
	err := q.o.Queue.EachLine(ctx, func(j *jobs.Job) error {
		l := &sideLine{id: j.ID, text: jobs.FormatLine(j)}
		all = append(all, l)
		if j.State.Ended() {
			l.finished = j.FinishedAt
			finished = append(finished, l)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the lines of jobs: %w", err)
	}
	var left []jobs.Placement
	if over := len(finished) - q.o.Settings().QueueKeep; over > 0 {
		slices.SortStableFunc(finished, func(a, b *sideLine) int { return a.finished.Compare(b.finished) })
		for _, l := range finished[:over] {
			left = append(left, jobs.Placement{ID: l.id, At: jobs.LineLeft})
			l.text = ""
		}
	}
	for _, l := range finished {
		if id, err := uuid.Parse(l.id); err == nil && l.text != "" && q.isLeaving(id) {
			left = append(left, jobs.Placement{ID: l.id, At: jobs.LineLeft})
			l.text = ""
		}
	}
	var b bytes.Buffer
	for _, l := range all {
		if l.text != "" {
			b.WriteString(l.text)
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), left, nil
}
