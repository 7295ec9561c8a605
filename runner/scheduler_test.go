package runner

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// notes reads the words that roles noted, each line without its time, in the
// order of time.
func notes(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []string
	for in := bufio.NewScanner(f); in.Scan(); {
		lines = append(lines, in.Text())
	}
	slices.Sort(lines) // the times have the same number of digits
	var all [][]string
	for _, line := range lines {
		all = append(all, strings.Fields(line)[1:])
	}
	return all
}

// spans reads what span roles noted: in order of time, the labels of those that
// began, and the most that were at it at once.
func spans(t *testing.T, path string) (began []string, most int) {
	t.Helper()
	now := 0
	for _, words := range notes(t, path) {
		if words[0] == "end" {
			now--
			continue
		}
		now++
		most = max(most, now)
		began = append(began, words[1])
	}
	return began, most
}

func TestSlotLimit(t *testing.T) {
	const limit, count = 3, 60
	w := newWorld(t, limit)
	file := w.file("spans")
	var ids []string
	for i := range count {
		ids = append(ids, w.add("span", file, "10", fmt.Sprint(i)))
	}
	w.serve()
	over := 0
	for _, id := range ids {
		w.await(id, "ended", func(j *jobs.Job) bool {
			running, err := w.queue.Running(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			over = max(over, len(running))
			return j.State.Ended()
		})
		w.want(w.job(id), jobs.Completed, "exit 0")
	}
	began, most := spans(t, file)
	if len(began) != count {
		t.Errorf("%d jobs began, want %d", len(began), count)
	}
	if most > limit || over > limit {
		t.Errorf("%d at once, %d RUNNING, want at most %d", most, over, limit)
	}
	if most < 2 {
		t.Errorf("at most %d at once, want them side by side", most)
	}
}

func TestTypeLimit(t *testing.T) {
	single := roleType("single")
	single.MaxConcurrent = 1
	w := newWorld(t, 4, single)
	file, other := w.file("single"), w.file("other")
	held := w.add("until", other, "0")
	var ids []string
	for i := range 8 {
		ids = append(ids, w.addJob(jobs.Job{Type: "single", Args: []string{"span", file, "10", fmt.Sprint(i)}}))
	}
	w.serve()
	w.awaitRun(held, other)
	for _, id := range ids {
		w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	}
	if _, most := spans(t, file); most != 1 {
		t.Errorf("%d of the type at once, want 1", most)
	}
	w.release(other)
	w.awaitEnd(held)
}

func TestStartOrder(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("spans")
	var last string
	for _, job := range []struct {
		label    string
		priority int
	}{{"low1", -5}, {"mid1", 0}, {"high1", 10}, {"mid2", 0}, {"low2", -5}, {"high2", 10}} {
		id := w.addJob(jobs.Job{Priority: job.priority, Args: []string{"span", file, "1", job.label}})
		if job.label == "low2" {
			last = id
		}
	}
	w.serve()
	w.awaitEnd(last)
	began, _ := spans(t, file)
	want := []string{"high1", "high2", "mid1", "mid2", "low1", "low2"}
	if !slices.Equal(began, want) {
		t.Errorf("began %q, want %q", began, want)
	}
}

func TestReasons(t *testing.T) {
	seven := roleType("seven")
	seven.SuccessCodes = []int{7}
	w := newWorld(t, 3, seven)
	w.serve()
	job := w.awaitEnd(w.add("exit", "7"))
	w.want(job, jobs.Failed, "exit 7")
	if job.ExitCode == nil || *job.ExitCode != 7 {
		t.Errorf("exit code %v, want 7", job.ExitCode)
	}
	if job.StartedAt.IsZero() || job.FinishedAt.Before(job.StartedAt) {
		t.Errorf("started %s, finished %s", job.StartedAt, job.FinishedAt)
	}
	if want := "logs/" + job.ID + ".log"; job.Log != want || !exists(filepath.Join(w.state, job.Log)) {
		t.Errorf("log %q, want %q, a file", job.Log, want)
	}
	if n := len(job.Command); n < 2 || job.Command[n-1] != "7" || job.Command[n-2] != "exit" {
		t.Errorf("command %q", job.Command)
	}
	w.want(w.awaitEnd(w.addJob(jobs.Job{Type: "seven", Args: []string{"exit", "7"}})), jobs.Completed, "exit 7")
}

func TestStartFailure(t *testing.T) {
	missing := roleType("missing")
	missing.Command = []string{"no-such-program"}
	python := &jobs.Type{Name: "python", Interpreter: []string{"python3"}, Extensions: []string{".py"}, Umask: -1}
	w := newWorld(t, 3, missing, python)
	python.Scripts = w.dir
	w.serve()
	w.want(w.awaitEnd(w.addJob(jobs.Job{Type: "missing"})), jobs.Failed, "start: no-such-program not found in PATH")
	job := w.awaitEnd(w.addJob(jobs.Job{Type: "python"})) // whose target is no script
	if job.State != jobs.Failed || !strings.HasPrefix(job.Reason, "start: ") {
		t.Errorf("script that is not there: %s %q", job.State, job.Reason)
	}
	// The place is free again.
	w.want(w.awaitEnd(w.add("exit", "0")), jobs.Completed, "exit 0")
}

func TestCancelCommand(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	running, waiting := w.add("until", file, "0"), w.add("exit", "0")
	w.serve()
	w.awaitRun(running, file)
	w.command(jobs.Cancel, waiting)
	w.command(jobs.Cancel, running)
	w.want(w.awaitEnd(running), jobs.Cancelled, "cancelled by request")
	w.want(w.awaitEnd(waiting), jobs.Cancelled, "cancelled by request")
	w.want(w.awaitEnd(w.add("exit", "0")), jobs.Completed, "exit 0")
}

func TestTimeLimit(t *testing.T) {
	short := roleType("short")
	short.Timeout, short.KillGrace = 300*time.Millisecond, 200*time.Millisecond
	w := newWorld(t, 2, short)
	w.serve()
	job := w.awaitEnd(w.addJob(jobs.Job{Type: "short", Args: []string{"deaf", w.file("never"), "0"}}))
	w.want(job, jobs.Timeout, "timeout 300ms")
	job = w.awaitEnd(w.addJob(jobs.Job{Timeout: 200 * time.Millisecond, Args: []string{"until", w.file("never"), "0"}}))
	w.want(job, jobs.Timeout, "timeout 200ms")
}

func TestRetryCommand(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "3")
	w.release(file)
	w.serve()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 3")
	w.command(jobs.Retry, id)
	job := w.await(id, "ended again", func(j *jobs.Job) bool { return j.State.Ended() && j.Attempt == 2 })
	w.want(job, jobs.Failed, "exit 3")
	text, err := os.ReadFile(file + ".up")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n != 2 {
		t.Errorf("it ran %d times, want 2", n)
	}
}

// A type that is gone lets its jobs wait, and takes nothing from others.
func TestTypeRemoved(t *testing.T) {
	w := newWorld(t, 1, roleType("gone"))
	file := w.file("go")
	running := w.addJob(jobs.Job{Type: "gone", Args: []string{"until", file, "0"}})
	r, _ := w.serve()
	w.awaitRun(running, file)
	waiting := w.addJob(jobs.Job{Type: "gone", Priority: 10, Args: []string{"exit", "0"}})
	w.configure(1)
	r.Reload()
	other := w.add("exit", "0")
	w.release(file)
	w.want(w.awaitEnd(running), jobs.Completed, "exit 0")
	w.want(w.awaitEnd(other), jobs.Completed, "exit 0")
	if job := w.job(waiting); job.State != jobs.Pending {
		t.Errorf("job of the type that is gone is %s, want PENDING", job.State)
	}
	w.configure(1, roleType("gone"))
	r.Reload()
	w.want(w.awaitEnd(waiting), jobs.Completed, "exit 0")
}

// Lowering the limit ends nothing and holds for what comes next.
func TestLimitLowered(t *testing.T) {
	w := newWorld(t, 3)
	var ids, files []string
	for i := range 4 {
		files = append(files, w.file(fmt.Sprint("go", i)))
		ids = append(ids, w.add("until", files[i], "0"))
	}
	r, _ := w.serve()
	for i := range 3 {
		w.awaitRun(ids[i], files[i])
	}
	w.configure(1)
	r.Reload()
	w.release(files[0])
	w.want(w.awaitEnd(ids[0]), jobs.Completed, "exit 0")
	w.release(files[1])
	w.want(w.awaitEnd(ids[1]), jobs.Completed, "exit 0")
	if job := w.job(ids[2]); job.State != jobs.Running {
		t.Errorf("third job is %s, want RUNNING", job.State)
	}
	w.release(files[2])
	w.awaitEnd(ids[2])
	if started := w.awaitRun(ids[3], files[3]); started.StartedAt.Before(w.job(ids[2]).FinishedAt) {
		t.Error("the fourth job began beside another under a limit of 1")
	}
	w.release(files[3])
	w.awaitEnd(ids[3])
}

// When there is nothing to do the scheduler sleeps, also after a trouble.
func TestRestAfterTrouble(t *testing.T) {
	w := newWorld(t, 1)
	s := newScheduler(w.options())
	defer s.close()
	s.hold(context.Background(), fmt.Errorf("trouble"), "nothing")
	s.dirty, s.startAt = false, time.Now()
	s.fill(context.Background())
	if wait := s.untilNext(); wait < time.Second {
		t.Errorf("it looks again after %v", wait)
	}
}
