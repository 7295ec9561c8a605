package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// What an attempt leaves behind is kept within the bound also when the next
// attempt has put its output aside.
func TestMaxLogOfWhatIsLeftAside(t *testing.T) {
	t.Parallel()
	const bound = 256 << 10
	typ := roleType("bounded")
	typ.MaxLog, typ.SuccessCodes = bound, []int{5}
	w := newWorld(t, 2, typ)
	w.needsHoles(w.state)
	gate := w.file("gate")
	id := w.addJob(jobs.Job{Type: "bounded", Args: []string{"leaver", "wait:" + gate, "paced:6:262144"}})
	w.serve()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 0")
	w.command(jobs.Retry, id)
	w.await(id, "ended again", func(j *jobs.Job) bool { return j.Attempt == 2 && j.State.Ended() })
	w.release(gate)
	for _, name := range []string{id + ".1.log", id + ".log"} {
		w.poll("all of "+name+" was written, so it was cut", func() bool {
			info, err := os.Stat(filepath.Join(w.state, "logs", name))
			return err == nil && info.Size() == 6<<20
		})
	}
}

// Who goes on with an output of which nothing was written yet knows its bound.
func TestTrimmerGoesOnWithNothing(t *testing.T) {
	w := &world{t: t, dir: t.TempDir()}
	w.needsHoles(w.dir)
	path := w.file("an-id.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const bound = 64 << 10
	for i, max := range []int64{bound, 0, 0} {
		next, err := newTrimmer(path, "an-id", 1, max, zerolog.Nop())
		if err != nil || next == nil {
			t.Fatalf("trimmer %d: %v, %v", i+1, next, err)
		}
		if want := jobs.NewCut(bound); next.cut != want {
			t.Errorf("trimmer %d: cut %s, want %s", i+1, fmt.Sprint(next.cut), fmt.Sprint(want))
		}
		next.leave(false)
	}
}
