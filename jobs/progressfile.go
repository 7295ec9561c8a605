package jobs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// progressTail is how much of the end of a progress file is read.
const progressTail = 4 << 10

// ProgressName is the file, relative to the state folder, in which an attempt
// may tell how far it has come. The job itself makes it, by writing it.
func ProgressName(id string, attempt int) string {
	return fmt.Sprintf("logs/%s.%d.progress", id, attempt)
}

// ProgressPath is the absolute path at which an attempt that runs as runAs ("" for
// the daemon's user) writes that file. Another user cannot enter the state folder,
// so such an attempt has a folder of its own, which only MakeProgress makes.
func ProgressPath(stateDir, id string, attempt int, runAs string) string {
	if runAs == "" {
		return filepath.Join(stateDir, filepath.FromSlash(ProgressName(id, attempt)))
	}
	return othersFile(stateDir, id, attempt)
}

// ReadProgress gives the end of what the job's latest attempt has written to its
// progress file, at most 4 KiB. The error is fs.ErrNotExist if it wrote none, and
// ErrNoRegularFile if something lies there that is not to be read, as a link.
func ReadProgress(stateDir string, j *Job) ([]byte, error) {
	f, err := openProgress(stateDir, j)
	if err != nil {
		return nil, fmt.Errorf("opening progress file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading progress file: %w", err)
	}
	data, err := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-progressTail), progressTail))
	if err != nil {
		return nil, fmt.Errorf("reading progress file: %w", err)
	}
	return data, nil
}

func openProgress(stateDir string, j *Job) (*os.File, error) {
	if j.RunAs != "" {
		return openOthers(stateDir, j.ID, j.Attempt)
	}
	root, err := os.OpenRoot(stateDir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openRegular(root, ProgressName(j.ID, j.Attempt))
}

// MakeProgress clears the way for the progress file of an attempt that is about
// to be started, so that no older one is taken for its own. For an attempt of
// another user it makes the folder that the file is to be in.
func MakeProgress(stateDir, id string, attempt int, a *Account) error {
	if a != nil {
		return makeOthers(stateDir, id, attempt, a)
	}
	return removeProgress(stateDir, id, attempt)
}

// RemoveProgress removes the progress files of an attempt, wherever they are. None
// being there is no error.
func RemoveProgress(stateDir, id string, attempt int) error {
	return errors.Join(removeProgress(stateDir, id, attempt), removeOthers(stateDir, id, attempt))
}

func removeProgress(stateDir, id string, attempt int) error {
	return os.RemoveAll(ProgressPath(stateDir, id, attempt, "")) // it may have made a folder there
}
