//go:build unix

package runner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"jobrunner/jobs"
)

// Each attempt can write a progress file, whoever it runs as, and none sees an
// older one.
func TestProgressFile(t *testing.T) {
	t.Parallel()
	types := map[string]*jobs.Type{"own": roleType("own")}
	if os.Geteuid() == 0 {
		types["others"] = roleType("others")
		types["others"].RunAs = needRoot(t).Word
	}
	for name, typ := range types {
		t.Run(name, func(t *testing.T) {
			typ.Command = []string{"sh", "-c", `test ! -e "$JOBRUNNER_PROGRESS_FILE" && echo "$1" >"$JOBRUNNER_PROGRESS_FILE" && exit 3`, "sh"}
			w := newWorld(t, 1, typ)
			w.open()
			id := w.addJob(jobs.Job{Type: name, Args: []string{"0.5 half"}})
			// What was left of a state folder that was put aside.
			if err := os.MkdirAll(filepath.Join(w.state, "logs"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(jobs.ProgressPath(w.state, id, 1, ""), []byte("0.9 older"), 0o644); err != nil {
				t.Fatal(err)
			}
			_, _ = w.serve()
			for attempt := 1; attempt <= 2; attempt++ {
				job := w.await(id, "ended", func(j *jobs.Job) bool { return j.State.Ended() && j.Attempt == attempt })
				w.want(job, jobs.Failed, "exit 3")
				if got, err := jobs.ReadProgress(w.state, job); err != nil || string(got) != "0.5 half\n" {
					t.Errorf("attempt %d told %q, %v", attempt, got, err)
				}
				t.Cleanup(func() {
					if err := jobs.RemoveProgress(w.state, id, attempt); err != nil {
						t.Error(err)
					}
					if got, err := jobs.ReadProgress(w.state, job); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("after it was removed: %q, %v", got, err)
					}
				})
				if attempt == 1 {
					w.command(jobs.Retry, id)
				}
			}
		})
	}
}
