package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// blackout is a world on a disk of its own whose power is cut.
type blackout struct {
	*oracle
	disk *disk
	out  string // folder on another disk
	boot int    // how often the machine was started

	mu   sync.Mutex // guards told
	told map[string]told
}

// told is what somebody was told of a request: from then on it must be so.
type told struct {
	id    string
	ended jobs.State // "" while it has not
}

// The power is cut at moments that nobody chose, while lines are appended, files
// dropped and jobs end. What anybody was told, by a line, a reply or an exit
// code of the command line, is so after the next start, nothing is started
// twice, and no file is torn.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	random := seeded(t)
	b := newBlackout(t, 4)
	cuts := rounds(4, 60)
	for n := range cuts {
		b.start()
		b.load(random)
		b.check(random)
		if t.Failed() {
			t.Fatalf("after cut %d", n+1)
		}
	}
	b.start()
	b.until("the daemon has looked through everything", b.allTaken)
	b.askLine("last", 0) // zeros that the cut has left at the end of the file go now
	b.settle()
	b.oracle.check()
	b.wholeDatabase()
	sure := 0
	for _, a := range b.asked {
		if !a.maybe {
			sure++
		}
	}
	t.Logf("%d cuts, %d requests, %d of them acknowledged before the next cut", cuts, len(b.asked), sure)
}

func newBlackout(t *testing.T, limit int) *blackout {
	t.Helper()
	w := newWorld(t, nil)
	b := &blackout{disk: newDisk(t, w.dir, 64<<20), out: scratch(t)}
	w.write("jobrunner.yaml", fmt.Sprintf(oracleConfig, limit)+"poll_interval: 500ms\nsettle: 50ms\n")
	b.oracle = newOracle(w, limit)
	b.oracle.mayLose, b.oracle.others = true, b.isTorn
	unix.Sync() // the configuration is not what is tried
	t.Cleanup(func() {
		if err := foundRaces(b.out); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			text, _ := os.ReadFile(b.out + "/serve.log")
			t.Logf("the daemon's log ends:\n%s", text[max(0, len(text)-8000):])
		}
	})
	return b
}

// start starts a daemon on a machine that was just booted, as far as it can see.
func (b *blackout) start() {
	b.Helper()
	b.boot++
	boot := filepath.Join(b.out, fmt.Sprint("boot", b.boot))
	log, err := os.OpenFile(b.out+"/serve.log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err == nil {
		err = os.WriteFile(boot, []byte(uuid.NewString()+"\n"), 0o644)
	}
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	cmd := b.command("sh", "-c", `mount --bind "$0" /proc/sys/kernel/random/boot_id && exec jobrunner serve`, boot)
	cmd.Env = append(cmd.Env, "GORACE="+raceOptions(b.out))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		b.Skipf("a process cannot have mounts of its own: %v", err)
	}
	b.daemon = cmd
}

// load puts requests in until the power is cut, and then ends all processes.
func (b *blackout) load(random *rand.Rand) {
	b.Helper()
	b.told = map[string]told{}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, do := range []func(context.Context, *rand.Rand){b.appends, b.appends, b.drops, b.adds, b.reads, b.flushes} {
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		wg.Go(func() { do(ctx, own) })
	}
	// First something is to happen at all, and then it ends at any moment.
	b.until("something was told", func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.told) == 0 {
			return errors.New("nothing yet")
		}
		return nil
	})
	time.Sleep(time.Duration(random.Int64N(int64(1200 * time.Millisecond)))) // the moment of the cut
	b.disk.cut()
	cancel()
	wg.Wait()
	b.reap()
	killUsers(b.world.dir)
	b.disk.remount()
	b.forgetUnfinished()
	b.killed()
}

// forgetUnfinished removes what its writer had not yet renamed when the power
// was cut: that is nobody's request.
func (b *blackout) forgetUnfinished() {
	b.Helper()
	left, _ := filepath.Glob(b.path("inbox/t*.yaml.tmp")) // the pattern is good
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			b.Error(err)
		}
	}
}

// often calls do with a new tag after pauses of up to most.
func (b *blackout) often(ctx context.Context, random *rand.Rand, most time.Duration, do func(tag string, code int)) {
	for n := 0; ctx.Err() == nil; n++ {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.Int64N(int64(most)))):
			tag := fmt.Sprintf("t%08x-%d", random.Uint32(), n)
			do(tag, random.IntN(5))
		}
	}
}

// ask notes a request that nobody has answered yet.
func (b *blackout) ask(tag string, code int) {
	b.expect(tag, code)
	b.note(tag, func(a *asked) { a.maybe = true })
}

// appends appends lines. Whether they arrive is known when they are answered.
func (b *blackout) appends(ctx context.Context, random *rand.Rand) {
	b.often(ctx, random, 80*time.Millisecond, func(tag string, code int) {
		b.ask(tag, code)
		f, err := os.OpenFile(b.path("job_queue.txt"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
		if err != nil {
			return
		}
		defer f.Close()
		line := fmt.Sprintf("trace.sh %s %d 0.0%d", tag, code, random.IntN(9)+1)
		b.note(tag, func(a *asked) { a.line = line })
		_, _ = f.WriteString(line + "\n") // the power may be gone
	})
}

// drops drops files, without making sure that they are on disk.
func (b *blackout) drops(ctx context.Context, random *rand.Rand) {
	b.often(ctx, random, 120*time.Millisecond, func(tag string, code int) {
		b.ask(tag, code)
		name := b.path("inbox/" + tag + ".yaml")
		if os.WriteFile(name+".tmp", fmt.Appendf(nil, "script: trace.sh\nargs: [%s, %d]\n", tag, code), 0o644) == nil {
			_ = os.Rename(name+".tmp", name) // the power may be gone
		}
	})
}

// adds uses the command line. Its word is that the request is known, or lies on
// disk where it will be found.
func (b *blackout) adds(ctx context.Context, random *rand.Rand) {
	b.often(ctx, random, 100*time.Millisecond, func(tag string, code int) {
		b.ask(tag, code)
		cmd := b.command("jobrunner", "add", "trace.sh", tag, strconv.Itoa(code))
		cmd.Env = append(cmd.Env, "GORACE="+raceOptions(b.out))
		var id strings.Builder
		cmd.Stdout = &id
		if err := cmd.Start(); err != nil {
			b.Error(err)
			return
		}
		defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
		if cmd.Wait() == nil {
			b.tell(tag, strings.TrimSpace(id.String()), "")
		}
	})
}

// reads reads what the daemon says.
func (b *blackout) reads(ctx context.Context, _ *rand.Rand) {
	for ctx.Err() == nil {
		text, _ := os.ReadFile(b.path("job_queue.txt")) // the power may be gone
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if !strings.HasSuffix(line, "\n") || len(words) < 4 || words[1] != "trace.sh" || uuid.Validate(words[0]) != nil {
				continue
			}
			b.tell(words[2], words[0], jobs.State(words[len(words)-1]))
		}
		replies, _ := filepath.Glob(b.path("outbox/*.json"))
		for _, path := range replies {
			var r struct{ Jobs []*jobs.Job }
			if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &r) == nil {
				for _, j := range r.Jobs {
					b.tell(j.Args[0], j.ID, j.State)
				}
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// flushes has the kernel write this and that earlier than it would, so that the
// disk is not all old or all new.
func (b *blackout) flushes(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		time.Sleep(time.Duration(random.Int64N(int64(30 * time.Millisecond))))
		name := []string{"job_queue.txt", ".jobrunner/queue.plan", ".jobrunner/jobs.db-wal", ".jobrunner/supervisor.journal"}[random.IntN(4)]
		f, err := os.Open(b.path(name))
		if err != nil {
			continue
		}
		if random.IntN(8) > 0 {
			_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE) // its bytes alone
		} else {
			_ = unix.Syncfs(int(f.Fd()))
		}
		f.Close()
	}
}

// tell notes what was said of a request; what is said of a torn line is none.
func (b *blackout) tell(tag, id string, state jobs.State) {
	if state == jobs.Rejected || tag == "-" { // "-" stands for no arguments at all, and every request has some
		return
	}
	t := told{id: id}
	if state.Ended() {
		t.ended = state
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told[tag].ended == "" {
		b.told[tag] = t
	}
}

// check looks, after the next start, whether what was told is so.
func (b *blackout) check(random *rand.Rand) {
	b.Helper()
	b.wholeReplies()
	b.wholeDatabase()
	b.start()
	b.until("the daemon has looked through everything", func() error { return b.allTaken() })
	all, err := b.all()
	if err != nil {
		b.Fatal(err)
	}
	byTag := map[string]*jobs.Job{}
	for _, j := range all {
		if len(j.Args) > 0 {
			byTag[j.Args[0]] = j
		}
	}
	for tag, t := range b.told {
		switch j := byTag[tag]; {
		case j == nil:
			b.Errorf("somebody was told that %s is job %s, and it is gone", tag, t.id)
		case j.ID != t.id:
			b.Errorf("somebody was told that %s is job %s, and it is %s", tag, t.id, j.ID)
		case t.ended != "" && j.State != t.ended:
			b.Errorf("somebody was told that %s is %s, and it is %s", tag, t.ended, j.State)
		case !b.isTorn(j):
			b.note(tag, func(a *asked) { a.maybe = false })
		}
	}
	if random.IntN(3) == 0 { // the next cut finds much under way, or nothing
		b.settle()
	}
	b.end(syscall.SIGKILL)
	killUsers(b.world.dir)
	b.killed()
}

// allTaken says what has not been taken yet.
func (b *blackout) allTaken() error {
	if pid, _, err := lockHolder(b.path(".jobrunner")); pid != b.daemon.Process.Pid {
		return fmt.Errorf("pid %d has the lock: %v", pid, err)
	}
	left, _ := filepath.Glob(b.path("inbox/*.yaml"))
	claimed, _ := filepath.Glob(b.path("inbox/.claimed/*/*"))
	if left = append(left, claimed...); len(left) > 0 {
		return fmt.Errorf("%q", left)
	}
	for _, line := range b.lines("job_queue.txt") {
		if strings.Trim(line, "\x00") == "" {
			continue // what the cut left of a line that was being appended: it goes with the next one
		}
		if words := strings.Fields(line); len(words) < 4 || uuid.Validate(words[0]) != nil {
			return fmt.Errorf("a line of nobody: %q", line)
		}
	}
	return nil
}

// wholeReplies looks at the outbox as the cut has left it.
func (b *blackout) wholeReplies() {
	b.Helper()
	replies, _ := filepath.Glob(b.path("outbox/*.json"))
	for _, path := range replies {
		text, err := os.ReadFile(path)
		if err != nil || !json.Valid(text) {
			b.Errorf("the cut has left %s torn: %q %v", path, text, err)
		}
		if _, err := os.Stat(strings.TrimSuffix(path, ".json")); err != nil {
			b.Errorf("the cut has left a reply without its file: %v", err)
		}
	}
}

// wholeDatabase has the database look through itself, in a copy as the cut has
// left it.
func (b *blackout) wholeDatabase() {
	b.Helper()
	dir, err := os.MkdirTemp(b.out, "copy")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{databaseFile, databaseFile + "-wal"} {
		text, err := os.ReadFile(b.path(".jobrunner/" + name))
		if errors.Is(err, os.ErrNotExist) && name != databaseFile {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if words := integrity(b.T, filepath.Join(dir, databaseFile)); words != "ok" {
		b.Errorf("the database is damaged: %s", words)
	}
}

// isTorn reports whether j is what became of a line or file that its writer had not
// put on disk before the cut: part of it is gone. It was rejected, or what is left
// of a line reads as a whole one without its newline.
func (b *blackout) isTorn(j *jobs.Job) bool {
	if j.State == jobs.Rejected {
		// Of a file its length may be left, and NUL bytes to fill it.
		nothing := strings.HasSuffix(j.Reason, "the file is empty") || strings.HasSuffix(j.Reason, ".yaml:1:1: a NUL byte stands inside the text")
		return len(j.Args) == 1 && (strings.HasPrefix(j.Args[0], "line:") || nothing)
	}
	left := strings.Join(append([]string{j.Target}, j.Args...), " ")
	b.oracle.mu.Lock()
	defer b.oracle.mu.Unlock()
	for _, a := range b.asked {
		if a.line != left && strings.HasPrefix(a.line, left) {
			b.Logf("a cut has left %q of %q", left, a.line)
			return true
		}
	}
	return false
}
