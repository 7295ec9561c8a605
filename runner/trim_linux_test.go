package runner

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// floodLine is the length of each line of a flood; the lines are numbered, so
// that every byte of it is known from its place.
const floodLine = 1024

func floodText(from, to int64) []byte {
	var b bytes.Buffer
	for n := from / floodLine; int64(b.Len()) < to-from/floodLine*floodLine; n++ {
		fmt.Fprintf(&b, "%-*d\n", floodLine-1, n)
	}
	return b.Bytes()[from%floodLine:][:to-from]
}

func init() {
	// flood prints MiB after MiB. Its arguments are steps: free:<MiB> prints so
	// much at once; paced:<MiB>:<bound> does so in parts, and goes on with each
	// when no more than the bound of what was printed takes room; up:<file> makes a
	// file, wait:<file> waits for one, exit:<status> exits.
	roles["flood"] = func(steps []string) {
		var at int64
		for _, step := range steps {
			words := strings.Split(step, ":")
			switch words[0] {
			case "up":
				note(words[1], "up")
			case "wait":
				for !exists(words[1]) {
					time.Sleep(5 * time.Millisecond)
				}
			case "exit":
				os.Exit(number(words[1]))
			case "free":
				at = flood(at, int64(number(words[1])))
			case "paced":
				const part = 2
				for range number(words[1]) / part {
					at = flood(at, part)
					awaitRoom(os.Stdout, int64(number(words[2])))
				}
			}
		}
	}
	// leaver ends at once, and leaves a process behind that floods.
	roles["leaver"] = func(steps []string) {
		exe, err := os.Executable()
		if err == nil {
			_, err = os.StartProcess(exe, append([]string{exe, "role", "flood"}, steps...),
				&os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
}

func flood(at, mib int64) int64 {
	for range mib {
		if _, err := os.Stdout.Write(floodText(at, at+1<<20)); err != nil {
			os.Exit(9)
		}
		at += 1 << 20
	}
	return at
}

// awaitRoom blocks until a file takes no more room than most; it ends this
// process if that does not come.
func awaitRoom(f *os.File, most int64) {
	for late := time.Now().Add(patience); roomOf(f) > most; {
		if time.Now().After(late) {
			os.Exit(10)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// roomOf is what a file takes on the disk.
func roomOf(f *os.File) int64 {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		os.Exit(11)
	}
	return st.Blocks * 512
}

// floods gives a world with a type of bounded output.
func floods(t *testing.T, bound int64) *world {
	typ := roleType("bounded")
	typ.MaxLog = bound
	w := newWorld(t, 2, typ)
	w.needsHoles(w.state)
	return w
}

func (w *world) needsHoles(dir string) {
	w.t.Helper()
	f, err := os.Create(filepath.Join(dir, "try"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if err := canPunch(f); err != nil {
		w.t.Skipf("no holes can be made here: %v", err)
	}
}

func (w *world) flood(steps ...string) string {
	return w.addJob(jobs.Job{Type: "bounded", Args: append([]string{"flood"}, steps...)})
}

// bounded checks what is kept of the output of a flood that has ended: the head
// and the last part to the byte, and no more room than the bound.
func (w *world) bounded(job *jobs.Job, total, bound int64) {
	w.t.Helper()
	f, err := os.Open(filepath.Join(w.state, filepath.FromSlash(job.Log)))
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if room := roomOf(f); err != nil || room > bound || info.Size() != total {
		w.t.Errorf("%d bytes take %d of disk, %v; want %d bytes in %d", info.Size(), room, err, total, bound)
	}
	cut := jobs.NewCut(bound).Grown(total)
	out, err := jobs.OpenOutput(w.state, job, job.Attempt)
	if err != nil {
		w.t.Fatal(err)
	}
	defer out.Close()
	got, err := io.ReadAll(out)
	head, tail := floodText(0, cut.Head), floodText(cut.End, total)
	mark := fmt.Sprintf("[… %s not kept: max_log %s …]\n", jobs.RoughSize(cut.End-cut.Head), jobs.ExactSize(bound))
	if want := string(head) + mark + string(tail); err != nil || string(got) != want {
		w.t.Errorf("%d bytes are shown, %v; want %d: the first %d, %q, the last %d", len(got), err, len(want), len(head), mark, len(tail))
	}
}

// A gigabyte takes no more room than a megabyte, while it is written and after
// that.
func TestMaxLog(t *testing.T) {
	t.Parallel()
	const bound = 1 << 20
	w := floods(t, bound)
	paced, free := 96, 104
	if os.Getenv("JOBRUNNER_SOAK") != "" {
		paced, free = 512, 512
	}
	id := w.flood(fmt.Sprintf("paced:%d:%d", paced, bound), fmt.Sprintf("free:%d", free))
	w.serve()
	job := w.awaitEnd(id)
	w.want(job, jobs.Completed, "exit 0")
	if job.Limits != "log 1MiB" {
		t.Errorf("limits %q, want %q", job.Limits, "log 1MiB")
	}
	w.bounded(job, int64(paced+free)<<20, bound)
}

// An output within its bound is whole, and nothing is left beside it.
func TestMaxLogNotReached(t *testing.T) {
	t.Parallel()
	w := floods(t, 4<<20)
	id := w.flood("free:1")
	w.serve()
	job := w.awaitEnd(id)
	got, err := os.ReadFile(filepath.Join(w.state, job.Log))
	if err != nil || !bytes.Equal(got, floodText(0, 1<<20)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	names, err := readNames(filepath.Join(w.state, "logs"))
	if err != nil || len(names) != 1 {
		t.Errorf("there are %q, %v; want the log alone", names, err)
	}
}

// The supervisor is killed: the daemon goes on to keep the output in bounds.
func TestMaxLogSupervisorKilled(t *testing.T) {
	t.Parallel()
	const bound = 256 << 10
	w := floods(t, bound)
	gate := w.file("gate")
	id := w.flood("paced:4:262144", "up:"+gate+".up", "wait:"+gate, "paced:8:262144")
	w.serve()
	w.awaitRun(id, gate)
	w.killSupervisor()
	w.release(gate)
	job := w.awaitEnd(id)
	w.wantEnd(job, jobs.Completed, "exit 0") // each part was waited for
	w.bounded(job, 12<<20, bound)
}

// Both are killed, and the job writes on and ends with nobody there; another one
// runs on into the time of the next daemon.
func TestMaxLogNobodyThere(t *testing.T) {
	t.Parallel()
	const bound = 256 << 10
	w := floods(t, bound)
	one, two := w.file("one"), w.file("two")
	over := w.flood("paced:2:262144", "up:"+one+".up", "wait:"+one, "free:6", "up:"+one+".over")
	on := w.flood("paced:2:262144", "up:"+two+".up", "wait:"+one, "free:6", "up:"+two+".over", "wait:"+two, "paced:6:262144")
	_, stop := w.serve()
	first := w.awaitRun(over, one)
	w.awaitRun(on, two)
	w.killSupervisor() // first, so that it cannot look once more
	stop()
	w.release(one)
	w.awaitFile(one + ".over")
	w.awaitFile(two + ".over")
	w.poll("the first job is gone", func() bool { return !alive(first.Process) })
	w.serve()
	w.bounded(w.awaitEnd(over), 8<<20, bound)
	w.release(two)
	job := w.awaitEnd(on)
	w.wantEnd(job, jobs.Completed, "exit 0")
	w.bounded(job, 14<<20, bound)
}

// A supervisor that was there before an upgrade cuts nothing: the daemon does.
func TestMaxLogUnderEarlierSupervisor(t *testing.T) {
	t.Parallel()
	const bound = 256 << 10
	w := floods(t, bound)
	s := newScheduler(w.options())
	defer s.close()
	s.link = w.connect()
	s.link.version = protocolMaxLog - 1
	id := w.flood("paced:6:262144")
	s.fill(context.Background())
	job := w.await(id, "started", func(j *jobs.Job) bool { return j.Process.PID != 0 || j.State.Ended() })
	if job.Limits != "log 256KiB" {
		t.Errorf("limits %q, want %q", job.Limits, "log 256KiB")
	}
	w.poll("all was written, so it was cut", func() bool {
		info, err := os.Stat(filepath.Join(w.state, job.Log))
		return err == nil && info.Size() == 6<<20
	})
}

// What a job leaves behind is kept within the bound too.
func TestMaxLogOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	const bound = 256 << 10
	w := floods(t, bound)
	gate := w.file("gate")
	id := w.addJob(jobs.Job{Type: "bounded", Args: []string{"leaver", "wait:" + gate, "paced:6:262144", "up:" + gate + ".up"}})
	w.serve()
	job := w.awaitEnd(id)
	w.want(job, jobs.Completed, "exit 0")
	w.release(gate)
	w.awaitFile(gate + ".up")
	w.bounded(job, 6<<20, bound)
}

// Each attempt has a cut of its own, which goes with its output.
func TestMaxLogOfAttempts(t *testing.T) {
	t.Parallel()
	const bound = 64 << 10
	w := floods(t, bound)
	id := w.flood("free:1", "exit:3")
	w.serve()
	first := w.awaitEnd(id)
	w.command(jobs.Retry, id)
	w.await(id, "ended again", func(j *jobs.Job) bool { return j.Attempt == 2 && j.State.Ended() })
	job, err := w.queue.Detail(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	w.bounded(job, 1<<20, bound)
	out, err := jobs.OpenOutput(w.state, job, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if v, err := out.View(); err != nil || v.Lost() == 0 || v.Size() > bound+100 {
		t.Errorf("the first attempt's output has %d bytes, lost %d, %v", v.Size(), v.Lost(), err)
	}
	if first.Attempt != 1 {
		t.Errorf("the first end was of attempt %d", first.Attempt)
	}
}

// Where no holes can be made the job runs all the same, and says so.
func TestMaxLogWithoutHoles(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "ramfs", 0, ""); err != nil {
		t.Skipf("a file system without holes cannot be mounted: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	sp := &spec{ID: "an-id", Attempt: 1, Umask: -1, Log: filepath.Join(dir, "an-id.log"), Dir: "/",
		Argv: []string{"true"}, Env: os.Environ(), Limits: limits{Log: 1 << 20}}
	c, err := launchNow(sp, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.await()
	c.reap()
	if want := "log not limited: " + errNoHoles.Error(); c.limits != want {
		t.Errorf("limits %q, want %q", c.limits, want)
	}
	if names, err := readNames(dir); err != nil || len(names) != 1 {
		t.Errorf("there are %q, %v; want the log alone", names, err)
	}
}

// A crash between writing down what is cut and cutting it is made good by the
// next one who looks.
func TestTrimmerGoesOn(t *testing.T) {
	w := &world{t: t, dir: t.TempDir()}
	w.needsHoles(w.dir)
	path := w.file("an-id.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const bound = 64 << 10
	first, err := newTrimmer(path, "an-id", 1, bound, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	first.close()
	if err := os.WriteFile(path, floodText(0, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	cut := jobs.NewCut(bound).Grown(1 << 20)
	if err := os.WriteFile(first.path, cut.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	next, err := newTrimmer(path, "an-id", 1, 0, zerolog.Nop())
	if err != nil || next == nil {
		t.Fatalf("got %v, %v", next, err)
	}
	defer next.close()
	next.look()
	if room := roomOf(next.file); room > bound {
		t.Errorf("it takes %d, want at most %d", room, bound)
	}
	if next.cut != cut {
		t.Errorf("cut %+v, want %+v", next.cut, cut)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got[:cut.Head], floodText(0, cut.Head)) || !bytes.Equal(got[cut.End:], floodText(cut.End, 1<<20)) {
		t.Errorf("head or tail is not what was written, %v", err)
	}
}

// An attempt that ended while nobody was there is brought within its bound when
// its end is recorded, whatever became of it.
func TestOutputIsLeftWithinBound(t *testing.T) {
	w := &world{t: t, dir: t.TempDir()}
	w.needsHoles(w.dir)
	s := &slot{job: &jobs.Job{ID: "an-id", Attempt: 2}, state: w.dir, log: zerolog.Nop()}
	path := filepath.Join(w.dir, filepath.FromSlash(logName("an-id")))
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, floodText(0, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s.leaveOutput() // no bound was begun
	if room := roomOf(f); room < 1<<20 {
		t.Errorf("an output without bound takes %d, want all of it", room)
	}
	if err := os.WriteFile(jobs.CutFile(path, "an-id", 2), jobs.NewCut(64<<10).Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s.leaveOutput()
	if room := roomOf(f); room > 64<<10 {
		t.Errorf("it takes %d, want at most %d", room, 64<<10)
	}
}
