package watcher

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// Folders that go away and come back.

// mounted is a folder that can be mounted over another one and taken away again.
type mounted struct {
	t        *testing.T
	from, at string
}

// mountOver mounts a folder with nothing in it over the folder at. Where that
// cannot be done the test is skipped.
func mountOver(t *testing.T, at string) *mounted {
	t.Helper()
	m := &mounted{t: t, from: t.TempDir(), at: at}
	if err := unix.Mount("tmpfs", m.from, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(m.from, unix.MNT_DETACH) })
	t.Cleanup(func() { _ = unix.Unmount(m.at, unix.MNT_DETACH) })
	m.mount()
	return m
}

func (m *mounted) mount() {
	m.t.Helper()
	if err := unix.Mount(m.from, m.at, "", unix.MS_BIND, ""); err != nil {
		m.t.Fatal(err)
	}
}

// unmount does so once nobody has a file open in it: a watch must not hold it.
func (m *mounted) unmount() {
	m.t.Helper()
	within(m.t, "the folder is unmounted", func() bool { return unix.Unmount(m.at, 0) == nil })
}

// An inbox that is made again, replaced, or unmounted and mounted again is
// watched again, and what lies in it is found within two looks.
func TestInboxGoesAndComes(t *testing.T) {
	t.Parallel()
	y := newTray(t)
	y.set.PollInterval, y.set.Settle = 50*time.Millisecond, 0
	looks := y.countLooks()
	y.run()
	y.foundSoon("a.yaml", looks)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	watched := func() {
		t.Helper()
		within(t, "events", func() bool { return y.box.status().Events == "native" })
	}
	watched()

	do(os.RemoveAll(y.dir))
	do(os.Mkdir(y.dir, 0o755))
	y.foundSoon("deleted.yaml", looks)

	do(os.Rename(y.dir, y.dir+".away"))
	do(os.Mkdir(y.dir, 0o755))
	y.foundSoon("replaced.yaml", looks)
	do(os.Remove(filepath.Join(y.dir, claimFolder, y.queue.StateID())))
	do(os.Remove(filepath.Join(y.dir, claimFolder)))
	do(os.Remove(y.dir))
	do(os.Rename(y.dir+".away", y.dir))
	y.foundSoon("back.yaml", looks)
	watched()
	if n := len(y.all()); n != 4 {
		t.Errorf("%d jobs of 4 files", n)
	}
}

func TestInboxIsUnmounted(t *testing.T) {
	t.Parallel()
	y := newTray(t)
	m := mountOver(t, y.dir)
	y.set.PollInterval, y.set.Settle = 50*time.Millisecond, 0
	looks := y.countLooks()
	y.run()
	y.foundSoon("before.yaml", looks)
	m.unmount()
	y.foundSoon("meanwhile.yaml", looks) // the folder below is as good as any other

	const id = "0c4f5c0e-6a0a-4f5e-8f0a-2d9a5e1f7b11"
	y.put(filepath.Join(m.from, claimFolder, y.queue.StateID(), id+"-claimed.yaml"), goodText)
	y.put(filepath.Join(m.from, "waiting.yaml"), goodText)
	m.mount()
	y.foundSoon("after.yaml", looks)
	for _, name := range []string{"claimed.yaml", "waiting.yaml"} {
		within(t, "reply to "+name, func() bool { return y.reply(name).State != "" })
	}
	if a := y.reply("claimed.yaml"); a.Jobs[0].ID != id {
		t.Errorf("reply = %+v, want job %s", a, id)
	}
	if n := len(y.all()); n != 5 {
		t.Errorf("%d jobs of 5 files", n)
	}
}

// A queue file whose file system is unmounted is made again in its place, as if
// it had been deleted, and when the old one is back nothing is taken twice.
func TestQueueFileIsUnmounted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := filepath.Join(d.dir, "mounted")
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	m := mountOver(t, at)
	d.path = filepath.Join(at, "job_queue.txt")
	d.start()
	d.append("countdown.py 1\ncountdown.py 2\n")
	d.settled(2)
	m.unmount()
	d.until("its lines stand in a new file", func() bool { return strings.Count(d.read(), "PENDING") == 2 })
	d.append("countdown.py 3\n")
	d.settled(3)
	m.mount()
	d.settled(3)
	d.append("countdown.py 4\n")
	d.settled(4)
	for _, j := range d.jobs() {
		if j.State != jobs.Pending {
			t.Errorf("job %s is %s: %s", j.ID, j.State, j.Reason)
		}
	}
}

// While the folder of the queue file is away that is said, and nothing is made
// of it.
func TestFolderOfQueueFileGoesAndComes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := filepath.Join(d.dir, "folder")
	if err := os.Mkdir(at, 0o755); err != nil {
		t.Fatal(err)
	}
	d.path = filepath.Join(at, "job_queue.txt")
	q := d.start()
	d.append("countdown.py 1\ncountdown.py 2\n")
	d.settled(2)
	if err := os.Rename(at, at+".away"); err != nil {
		t.Fatal(err)
	}
	d.until("it is said", func() bool { return strings.Contains(q.said(), "no such file") })
	away, err := os.OpenFile(filepath.Join(at+".away", "job_queue.txt"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := away.WriteString("countdown.py 3\n"); err != nil {
		t.Fatal(err)
	}
	away.Close()
	if err := os.Rename(at+".away", at); err != nil {
		t.Fatal(err)
	}
	d.settled(3)
	d.until("nothing is wrong any more", func() bool { return q.said() == "" })
	for _, j := range d.jobs() {
		if j.State != jobs.Pending {
			t.Errorf("job %s is %s: %s", j.ID, j.State, j.Reason)
		}
	}
}
