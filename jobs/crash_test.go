package jobs_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jobrunner/jobs"
)

// A test that needs another process runs this binary again, with the role
// that the other is to play and the database in the environment.
const roleKey, pathKey = "JOBS_TEST_ROLE", "JOBS_TEST_PATH"

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.v=false")
	cmd.Env = append(os.Environ(), roleKey+"="+role, pathKey+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// TestChild is what the children run; it does nothing of its own.
func TestChild(t *testing.T) {
	path := os.Getenv(pathKey)
	switch role := os.Getenv(roleKey); role {
	case "":
		t.Skip("not a child")
	case "accept":
		acceptForEver(path)
	case "play":
		playForEver(path)
	case "read":
		if err := readUntilEOF(path); err != nil {
			t.Fatal(err)
		}
	case "full":
		fillDisk(t, path)
	case "fsync":
		failFsync(t, path)
	default:
		t.Fatalf("no role %q", role)
	}
}

// acceptForEver takes jobs in and through their lives, and prints what it was
// told is on disk.
func acceptForEver(path string) {
	q, err := jobs.Open(path)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				j := pendingJob()
				_, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}})
				say(j.ID, jobs.Pending, err)
				_, err = q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: 1}})
				say(j.ID, jobs.Running, err)
				_, err = q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Completed})
				say(j.ID, jobs.Completed, err)
			}
		})
	}
	group.Wait()
}

func say(id string, s jobs.State, err error) {
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Fprintf(os.Stdout, "%s %s\n", id, s) // one write(2) a line
}

// readUntilEOF reads beside whoever writes, until stdin ends.
func readUntilEOF(path string) error {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	q, err := jobs.OpenReader(path)
	if err != nil {
		return err
	}
	defer q.Close()
	fmt.Println("reading")
	var most int
	for {
		select {
		case <-ended:
			fmt.Println(most)
			return nil
		default:
		}
		stats, err := q.Stats(bg)
		if err != nil {
			return err
		}
		var n int
		for _, count := range stats.States {
			n += count
		}
		if n < most {
			return fmt.Errorf("%d jobs, there were %d", n, most)
		}
		most = n
		if _, err := q.List(bg, jobs.Filter{Limit: 5}); err != nil {
			return err
		}
	}
}

// Whatever was acknowledged before a SIGKILL is there afterwards, and another
// process may read all the while.
func TestKilledWriterLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.db")
	if err := reopenQueue(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	reader := child(t, "read", path)
	stdin, err := reader.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := reader.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	seen := bufio.NewScanner(stdout)
	if !seen.Scan() || seen.Text() != "reading" {
		t.Fatalf("the reader said %q", seen.Text())
	}

	order := map[jobs.State]int{jobs.Pending: 0, jobs.Running: 1, jobs.Completed: 2}
	acknowledged := map[string]jobs.State{}
	for round := range 6 {
		for id, s := range runAndKill(t, path, 50+round*97) {
			acknowledged[id] = s
		}
		q := reopenQueue(t, path)
		for id, s := range acknowledged {
			j, err := q.Job(bg, id)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if order[j.State] < order[s] {
				t.Errorf("round %d: job %s is %s, acknowledged as %s", round, id, j.State, s)
			}
		}
		checkCounters(t, q)
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	var n int
	for seen.Scan() {
		if _, err := fmt.Sscan(seen.Text(), &n); err == nil {
			break
		}
	}
	_, _ = io.Copy(io.Discard, stdout)
	if err := reader.Wait(); err != nil {
		t.Errorf("reader: %v", err)
	}
	if n == 0 {
		t.Error("the reader saw no job")
	}
	t.Logf("%d jobs acknowledged, the reader saw %d", len(acknowledged), n)
}

// The database of a killed writer is read although nobody has it open.
func TestReaderAfterAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.db")
	acknowledged := runAndKill(t, path, 100)
	r, err := jobs.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for id := range acknowledged {
		readJob(t, r, id)
	}
}

// runAndKill lets a child write until it has acknowledged so many changes, and
// returns every change that it acknowledged before it was gone.
func runAndKill(t *testing.T, path string, changes int) map[string]jobs.State {
	t.Helper()
	got := map[string]jobs.State{}
	for _, line := range killAfter(t, "accept", path, changes) {
		id, state, _ := strings.Cut(line, " ")
		got[id] = jobs.State(state)
	}
	return got
}

// killAfter lets a child of that role write until it has said so many lines,
// and returns every one that it said before it was gone.
func killAfter(t *testing.T, role, path string, lines int) (said []string) {
	t.Helper()
	writer := child(t, role, path)
	stdout, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	from := bufio.NewReader(stdout)
	for n := 0; ; n++ {
		if n == lines {
			if err := writer.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		line, err := from.ReadString('\n')
		if err != nil {
			break // what is left of a line was not acknowledged
		}
		if strings.HasPrefix(line, "error") {
			t.Fatal(line)
		}
		said = append(said, strings.TrimSpace(line))
	}
	if err := writer.Wait(); err == nil {
		t.Fatal("the writer ended by itself")
	}
	return said
}

// checkCounters holds the kept counters against the jobs.
func checkCounters(t *testing.T, q *jobs.Queue) {
	t.Helper()
	counted := map[jobs.State]int{}
	for before := int64(0); ; {
		list, err := q.List(bg, jobs.Filter{Before: before, Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, j := range list {
			counted[j.State]++
		}
		before = list[len(list)-1].Seq
	}
	stats, err := q.Stats(bg)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range jobs.States {
		if stats.States[s] != counted[s] {
			t.Errorf("%s: the counter says %d, there are %d", s, stats.States[s], counted[s])
		}
	}
}

// Everything at once: what the race detector and the counters say of it.
func TestConcurrentUse(t *testing.T) {
	q, _ := openQueue(t)
	q.SetCatalog(limits(3))
	woken, stop := q.Changed()
	defer stop()
	var group sync.WaitGroup
	deadline := time.Now().Add(time.Second)
	repeat := func(do func() error) {
		group.Go(func() {
			for time.Now().Before(deadline) {
				if err := do(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 3 {
		repeat(func() error {
			_, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: pendingJob()}, {Job: pendingJob()}}})
			return err
		})
	}
	repeat(func() error {
		next, err := q.Next(bg, map[string]int{"train": 3}, 3)
		if err != nil {
			return err
		}
		for _, j := range next {
			if _, err := q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: j.Attempt}}); err != nil {
				return err
			}
		}
		return nil
	})
	repeat(func() error {
		running, err := q.Running(bg)
		for _, j := range running {
			if _, err := q.End(bg, j.ID, j.Attempt, jobs.Ending{State: jobs.Failed, Reason: "exit 1"}); err != nil {
				return err
			}
		}
		return err
	})
	repeat(func() error {
		list, err := q.List(bg, jobs.Filter{Query: "state:failed,pending train", Limit: 3})
		for _, j := range list {
			_, err := q.Execute(bg, jobs.Command{Action: []jobs.Action{jobs.Retry, jobs.Cancel}[j.Seq%2], IDs: []string{j.ID}})
			if err != nil {
				return err
			}
		}
		return err
	})
	repeat(func() error {
		select {
		case <-woken:
		default:
		}
		_, err := q.ListActive(bg, 10)
		return err
	})
	group.Wait()
	checkCounters(t, q)
}
