package watcher

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// door is a whole watcher over the folders of a desk.
type door struct {
	*desk
	w *Watcher
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := newDesk(t)
	for _, dir := range []string{"inbox", "outbox"} {
		if err := os.Mkdir(filepath.Join(d.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &door{desk: d}
}

// open makes the watcher and has it prepare.
func (o *door) open() {
	o.t.Helper()
	w, err := New(Options{
		Inbox: filepath.Join(o.dir, "inbox"), Outbox: filepath.Join(o.dir, "outbox"), QueueFile: o.path,
		StateDir: filepath.Join(o.dir, "state"), Queue: o.queue, Catalog: o.catalog,
		Settings: func() Settings {
			return Settings{PollInterval: 200 * time.Millisecond, MaxRequestSize: 64 << 10, QueueKeep: 1000}
		},
		Local: func(string) (bool, string, error) { return true, "ext4", nil },
		Log:   zerolog.Nop(),
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.w = w
	o.t.Cleanup(func() { w.Close() })
	if err := w.Prepare(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

// run has the watcher run until the func that it returns is called.
func (o *door) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Errorf("Run: %v", err)
		}
	}
}

func (o *door) drop(name, text string) {
	o.t.Helper()
	temp := filepath.Join(o.dir, "inbox", "."+name)
	err := os.WriteFile(temp, []byte(text), 0o644)
	if err == nil {
		err = os.Rename(temp, filepath.Join(o.dir, "inbox", name))
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// seq is the place of the newest job in the order of acceptance.
func (o *door) seq() int64 {
	o.t.Helper()
	newest, err := o.queue.List(context.Background(), jobs.Filter{Limit: 1})
	if err != nil {
		o.t.Fatal(err)
	}
	if len(newest) == 0 {
		return 0
	}
	return newest[0].Seq
}

const manyLines = 100_000

// Many lines at once keep neither a dropped file waiting nor a command.
func TestManyLinesLetFilesPass(t *testing.T) {
	t.Parallel()
	o := newDoor(t)
	o.open()
	stop := o.run()
	defer stop()
	o.append(strings.Repeat("sleep 1\n", manyLines))
	o.until("some lines are taken", func() bool { return o.seq() > 0 })
	const id = "11111111-0000-4000-8000-000000000000"
	o.drop("a.yaml", "{type: sleep, args: [2], id: "+id+"}")
	o.until("the file is taken", func() bool { _, err := o.queue.Job(context.Background(), id); return err == nil })
	o.drop("b.yaml", "{action: cancel, ids: ["+id+"]}")
	o.until("the command is carried out", func() bool { return o.state(id) == jobs.Cancelled })
	o.append("pause sleep\n")
	o.until("so is one in a line behind them", func() bool {
		b, err := o.queue.Brakes(context.Background())
		return err == nil && b.Types["sleep"]
	})
	at, seen := o.job(id).Seq, o.seq()
	if seen > manyLines {
		t.Fatalf("the file was number %d in the order of acceptance, and all lines were taken before the commands", at)
	}
	t.Logf("of %d lines, the file came after %d and the commands after %d", manyLines, at-1, seen-1)
	if !soaking() {
		return
	}
	o.grows("lines that are taken", manyLines, func() int { return pending(t, o.queue) })
}

// Neither do they keep the start waiting, from which on jobs run; but what was
// dropped before it counts from then on, and so does a line that was removed.
func TestManyLinesLetTheStartPass(t *testing.T) {
	t.Parallel()
	o := newDoor(t)
	o.open()
	const first, second = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
	o.append(first + " sleep 1\n" + second + " sleep 1\n" + strings.Repeat("sleep 3\n", 20))
	stop := o.run()
	o.settled(22)
	stop()
	lines := o.read()
	kept := lines[:strings.Index(lines, second)] + lines[strings.Index(lines, second)+strings.Index(lines[strings.Index(lines, second):], "\n")+1:]
	o.write(kept + strings.Repeat("sleep 2\n", manyLines) + "pause sleep\n")
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(o.path, long, long); err != nil {
		t.Fatal(err)
	}
	if _, err := o.queue.Wake(context.Background(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := o.queue.PlaceLines(context.Background(), []jobs.Placement{{ID: second, At: long.Add(-time.Hour).UnixMilli()}}); err != nil {
		t.Fatal(err)
	}
	o.drop("a.yaml", "{action: hold, ids: ["+first+"]}")
	o.open()
	if n := o.seq(); n > manyLines/2 {
		t.Errorf("%d of %d lines were taken before jobs could start", n, manyLines)
	}
	b, err := o.queue.Brakes(context.Background())
	if err != nil || !b.Types["sleep"] || !o.job(first).Hold {
		t.Errorf("before jobs start: paused %v, held %v, %v; want both", b.Types, o.job(first).Hold, err)
	}
	if !o.job(second).Doubt {
		t.Error("the job whose line was removed may start")
	}
	defer o.run()()
	o.until("the removed one is cancelled", func() bool { return o.state(second) == jobs.Cancelled })
	if soaking() {
		o.grows("lines that are taken", manyLines+21, func() int { return pending(t, o.queue) })
	}
}

// Many files at the start are not all taken before jobs start; commands among
// them are.
func TestManyFilesLetTheStartPass(t *testing.T) {
	t.Parallel()
	o := newDoor(t)
	o.open()
	o.w.inbox.hurries = true // as if the first ones had taken long
	for n := range 300 {
		o.drop(fmt.Sprintf("a%03d.yaml", n), fmt.Sprintf("{type: sleep, args: [%d]}", n))
	}
	o.drop("b.yaml", "{action: pause}")
	b := o.w.inbox
	o.until("the command is taken", func() bool {
		if _, err := b.scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		brakes, err := o.queue.Brakes(context.Background())
		return err == nil && brakes.All
	})
	if n := o.seq(); n != 0 {
		t.Errorf("%d jobs were taken in", n)
	}
	b.hurries = false
	defer o.run()()
	o.until("the others are taken", func() bool { return o.seq() == 300 })
	all, err := o.queue.List(context.Background(), jobs.Filter{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range all {
		if want := fmt.Sprint(299 - i); j.Args[0] != want {
			t.Fatalf("job %d is of file %s, want %s", 300-i, j.Args[0], want)
		}
	}
}
