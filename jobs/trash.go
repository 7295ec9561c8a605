package jobs

import (
	"context"
	"fmt"
)

// Trash is a file that is to be removed, because what it belonged to was
// pruned. It is noted together with that, and forgotten once it is removed.
type Trash struct {
	Kind   string // one of the Trash constants
	Name   string // of a log the job's id, of a reply the file's name, of a script its hash
	Detail int64  // of a log the job's last attempt, of a reply when its file was taken (Unix ms)
}

// Kinds of trash.
const (
	TrashLog    = "log"    // the output of all attempts of a job
	TrashReply  = "reply"  // a request file in the outbox and its reply
	TrashScript = "script" // the copy of a script, if no other job has that hash
)

func (t *tx) putTrash(f Trash) error {
	_, err := t.change("INSERT OR REPLACE INTO trash (kind, name, detail) VALUES (?,?,?)", f.Kind, f.Name, f.Detail)
	return err
}

// Trash returns up to limit files of a kind that are to be removed, those after
// the one of that name.
func (q *Queue) Trash(ctx context.Context, kind, after string, limit int) ([]Trash, error) {
	var found []Trash
	err := q.read.each(ctx, "SELECT kind, name, detail FROM trash WHERE kind = ? AND name > ? ORDER BY name LIMIT ?+0",
		[]any{kind, after, limit}, func(row scanner) error {
			var f Trash
			err := row.Scan(&f.Kind, &f.Name, &f.Detail)
			found = append(found, f)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading which files are to be removed: %w", err)
	}
	return found, nil
}

// Emptied notes that files are removed which took so many bytes, on account of
// the command to prune of that id; "" if none asked for it.
func (q *Queue) Emptied(ctx context.Context, gone []Trash, command string, bytes int64) error {
	err := q.write(ctx, func(t *tx) error {
		for _, f := range gone {
			if _, err := t.change("DELETE FROM trash WHERE kind = ? AND name = ? AND detail = ?", f.Kind, f.Name, f.Detail); err != nil {
				return err
			}
		}
		if command == "" || bytes == 0 {
			return nil
		}
		_, err := t.change("UPDATE prunings SET bytes = bytes + ? WHERE id = ?", bytes, command)
		return err
	})
	if err != nil {
		return fmt.Errorf("noting that files are removed: %w", err)
	}
	return nil
}

const selectHashes = "SELECT DISTINCT script_hash FROM jobs NOT INDEXED WHERE seq > ? AND seq <= ? AND script_hash <> ''"

// Hashes calls fn with the hashes of the scripts of all jobs, some more than
// once. It reads piece by piece, so that a long walk keeps nobody waiting.
func (q *Queue) Hashes(ctx context.Context, fn func(hash string)) error {
	const piece = 20_000
	var last int64
	err := q.read.row(ctx, "SELECT ifnull(max(seq), 0) FROM jobs", nil, &last)
	for from := int64(0); err == nil && from < last; from += piece {
		err = q.read.each(ctx, selectHashes, []any{from, from + piece}, func(row scanner) error {
			var hash string
			err := row.Scan(&hash)
			fn(hash)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("reading which scripts jobs have: %w", err)
	}
	return nil
}
