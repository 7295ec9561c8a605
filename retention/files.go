package retention

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// trashAtOnce is how many files are removed before that is noted.
const trashAtOnce = 100

// empty removes the files that are noted to be removed. p gets their size; nil
// if nobody asks for it.
func (k *Keeper) empty(ctx context.Context, command string, p *pass) error {
	for _, kind := range []string{jobs.TrashLog, jobs.TrashReply} {
		after := ""
		for {
			begun := time.Now()
			list, err := k.o.Queue.Trash(ctx, kind, after, trashAtOnce)
			if err != nil {
				return err
			}
			if len(list) == 0 {
				break
			}
			after = list[len(list)-1].Name
			if err := k.remove(ctx, list, command, p); err != nil {
				return err
			}
			if err := breathe(ctx, begun); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove removes files and notes that they are gone. What cannot be removed is
// tried again the next time. Copies of scripts have a turn of their own.
func (k *Keeper) remove(ctx context.Context, list []jobs.Trash, command string, p *pass) error {
	var gone []jobs.Trash
	var bytes int64
	var failed error
	for _, f := range list {
		var size int64
		var err error
		switch f.Kind {
		case jobs.TrashLog:
			size, err = k.removeLogs(f)
		case jobs.TrashReply:
			size, err = k.o.Discard(ctx, f.Name, time.UnixMilli(f.Detail))
		default:
			continue
		}
		bytes += size
		if err != nil {
			failed = fmt.Errorf("removing what was pruned: %w", err)
			continue
		}
		gone = append(gone, f)
	}
	if len(gone) > 0 {
		if err := syncFolder(filepath.Join(k.o.StateDir, "logs")); err != nil {
			return err
		}
		if err := k.o.Queue.Emptied(ctx, gone, command, bytes); err != nil {
			return err
		}
		jobs.Step("prune: forgotten")
	}
	if p != nil {
		p.bytes += bytes
	}
	if failed != nil {
		k.failed(ctx, failed)
	}
	return nil
}

// removeLogs removes the output of all attempts of a job, and the files in which
// they told how far they had come; the size is that of the output.
func (k *Keeper) removeLogs(f jobs.Trash) (size int64, err error) {
	for _, path := range k.logsOf(f) {
		info, err := os.Lstat(path)
		if err == nil {
			err = os.Remove(path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return size, err
		default:
			size += room(info)
			jobs.Step("prune: log removed")
		}
	}
	if uuid.Validate(f.Name) != nil {
		return size, nil
	}
	for n := 1; n <= int(f.Detail); n++ {
		if err := jobs.RemoveProgress(k.o.StateDir, f.Name, n); err != nil {
			return size, err
		}
	}
	return size, nil
}

// logsOf gives the files that may hold the output of a job, and what belongs to
// them.
func (k *Keeper) logsOf(f jobs.Trash) []string {
	if uuid.Validate(f.Name) != nil {
		return nil // no file was ever made of such a name
	}
	names := []string{"logs/" + f.Name + ".log"}
	for n := 1; n <= int(f.Detail); n++ {
		if n < int(f.Detail) {
			names = append(names, fmt.Sprintf("logs/%s.%d.log", f.Name, n))
		}
		names = append(names, jobs.CutName(f.Name, n))
	}
	for i, name := range names {
		names[i] = filepath.Join(k.o.StateDir, filepath.FromSlash(name))
	}
	return names
}

// sizes is the room that the output of jobs takes.
func (k *Keeper) sizes(list []jobs.Trash) (bytes int64) {
	for _, f := range list {
		if f.Kind != jobs.TrashLog {
			continue
		}
		for _, path := range k.logsOf(f) {
			if info, err := os.Lstat(path); err == nil {
				bytes += room(info)
			}
		}
	}
	return bytes
}

// copies removes the copies of scripts that no job has any more.
func (p *pass) copies(ctx context.Context, names map[string][]string) error {
	list, err := p.o.Queue.Trash(ctx, jobs.TrashScript, "", 1<<20)
	if err != nil {
		return err
	}
	for _, name := range names[""] { // of a crash in the middle of keeping one
		if _, _, err := jobs.RemoveCopy(p.o.StateDir, name, time.Now()); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	needed := map[string]bool{}
	if err := p.o.Queue.Hashes(ctx, func(hash string) { needed[hash] = true }); err != nil {
		return err
	}
	var gone []jobs.Trash
	var bytes int64
	for _, f := range list {
		removed := true
		for _, name := range names[f.Name] {
			if needed[f.Name] {
				continue
			}
			size, went, err := jobs.RemoveCopy(p.o.StateDir, name, time.Now())
			if err != nil {
				return fmt.Errorf("removing the copy of a script: %w", err)
			}
			removed = removed && went
			bytes += size
		}
		if removed {
			gone = append(gone, f)
		}
	}
	jobs.Step("prune: copies removed")
	p.bytes += bytes
	return p.o.Queue.Emptied(ctx, gone, p.command, bytes)
}
