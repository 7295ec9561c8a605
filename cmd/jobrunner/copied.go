package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"jobrunner/jobs"
)

// folderKey is the queue's meta value that holds the path of its state folder.
const folderKey = "folder"

// checkCopied finds out whether a state folder is the copy of another one that
// is still there. It gives that one's path, "" if there is none; an error if a
// daemon works on it, for then both would run the jobs that wait in both.
func checkCopied(ctx context.Context, q *jobs.Queue, stateDir string) (original string, err error) {
	before, err := q.Meta(ctx, folderKey)
	if err != nil {
		return "", err
	}
	if before != "" && before != stateDir && isCopyOf(q, stateDir, before) {
		pid, held, err := lockHolder(before)
		if err != nil {
			return "", err
		}
		if held {
			return "", &hintedError{
				err:  fmt.Errorf("%s is a copy of %s, on which another jobrunner (pid %d) works: jobs that wait in both would run twice", stateDir, before, pid),
				hint: "end that one first, or set state_dir to a new folder",
			}
		}
		original = before
	}
	if before != stateDir {
		_ = q.PutMeta(ctx, folderKey, stateDir) // on a full disk the next start does it
	}
	return original, nil
}

// isCopyOf reports whether another folder holds the same queue: one that was
// moved here has left none.
func isCopyOf(q *jobs.Queue, stateDir, other string) bool {
	here, err := os.Stat(stateDir)
	if err != nil {
		return false
	}
	there, err := os.Stat(other)
	if err != nil || os.SameFile(here, there) {
		return false
	}
	o, err := jobs.OpenReader(filepath.Join(other, databaseFile))
	if err != nil {
		return false
	}
	defer o.Close()
	return o.StateID() == q.StateID()
}
