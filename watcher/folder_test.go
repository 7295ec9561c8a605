package watcher

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func newFolder(t *testing.T) (*folder, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "watched")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f := watchFolder(dir, zerolog.Nop())
	t.Cleanup(f.Close)
	return f, dir
}

// told waits until f has told of name, and returns what it said of all names
// until then.
func told(t *testing.T, f *folder, name string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for end := time.After(10 * time.Second); ; {
		select {
		case <-f.C():
		case <-end:
			t.Fatalf("no event told of %s, only of %v", name, all)
		}
		for n, moved := range f.take() {
			all[n] = moved
		}
		if _, ok := all[name]; ok {
			return all
		}
	}
}

func TestFolderTellsNames(t *testing.T) {
	f, dir := newFolder(t)
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(path(name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("made")
	if told(t, f, "made")["made"] {
		t.Error("a file made in place is told as renamed in")
	}
	write(".temp")
	os.Rename(path(".temp"), path("moved"))
	if got := told(t, f, "moved")["moved"]; got != tellsRenames {
		t.Errorf("a file renamed in: %v, want %v", got, tellsRenames)
	}
	write("moved")
	write("last")
	if told(t, f, "last")["moved"] {
		t.Error("a file written again is told as whole")
	}
}

func TestFolderFindsItsWayBack(t *testing.T) {
	f, dir := newFolder(t)
	if f.Check() {
		t.Error("a new watch was made where the old one is good")
	}
	file := filepath.Join(dir, "a")
	use := func() {
		t.Helper()
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		told(t, f, "a")
	}
	use()
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if !f.Check() {
		t.Error("the folder was replaced, and the watch was not")
	}
	use()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if f.Check() {
		t.Error("a watch on a folder that is gone")
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if !f.Check() {
		t.Error("the folder is back, and not watched")
	}
	use()
}

func TestFolderBoundsWhatItRemembers(t *testing.T) {
	f, _ := newFolder(t)
	for i := range maxHints + 10 {
		f.report(strings.Repeat("x", i%100)+string(rune('a'+i)), changeWritten)
	}
	if n := len(f.take()); n > maxHints {
		t.Errorf("%d names remembered, want at most %d", n, maxHints)
	}
}

func TestProbe(t *testing.T) {
	f, dir := newFolder(t)
	if mayChangeElsewhere(dir) {
		t.Skip("the folder is not on a local file system")
	}
	if !probe(t.Context(), f, dir, 10*time.Second) {
		t.Error("events do not arrive in a local folder")
	}
	f.Close()
	if probe(t.Context(), f, dir, 10*time.Millisecond) {
		t.Error("events arrive without a watch")
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// While the inbox is away that is said once, nothing is made in its place, and
// all goes on when it is back.
func TestInboxVanishes(t *testing.T) {
	y := newTray(t)
	y.set.PollInterval = 20 * time.Millisecond
	y.run()
	y.drop("a.yaml", goodText)
	within(t, "reply", func() bool { return y.reply("a.yaml").State != "" })

	if err := os.RemoveAll(y.dir); err != nil {
		t.Fatal(err)
	}
	within(t, "it is said", func() bool { return strings.Contains(y.box.status().Err, "looking through the inbox") })
	if exists(y.dir) {
		t.Error("the inbox was made again")
	}
	if err := os.Mkdir(y.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	y.drop("b.yaml", goodText)
	within(t, "reply", func() bool { return y.reply("b.yaml").State != "" })
	within(t, "all is well", func() bool { return y.box.status().Err == "" })

	if err := os.Rename(y.dir, y.dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(y.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	y.drop("c.yaml", goodText)
	within(t, "reply", func() bool { return y.reply("c.yaml").State != "" })
	if n := y.log.count("hindered", "looking through the inbox"); n > 2 {
		t.Errorf("logged %d times, want once a time", n)
	}
}

// A claim that was away with the inbox is finished when it is back.
func TestInboxComesBackWithClaims(t *testing.T) {
	y := newTray(t)
	y.set.PollInterval = 20 * time.Millisecond
	id := y.claimed("a.yaml", goodText)
	if err := os.Rename(y.dir, y.dir+".away"); err != nil {
		t.Fatal(err)
	}
	y.run()
	within(t, "it is said", func() bool { return y.box.status().Err != "" })
	if err := os.Rename(y.dir+".away", y.dir); err != nil {
		t.Fatal(err)
	}
	within(t, "reply", func() bool { return y.reply("a.yaml").State != "" })
	if a := y.reply("a.yaml"); a.Jobs[0].ID != id {
		t.Errorf("reply = %+v, want job %s", a, id)
	}
}

func TestEventsAreTold(t *testing.T) {
	y := newTray(t)
	y.set.PollInterval = 10 * time.Millisecond
	y.run()
	within(t, "events", func() bool { return y.box.status().Events != "" })
	y.box.tellEvents(false)
	if got := y.box.status().Events; got != "polling every 10ms" {
		t.Errorf("events: %q", got)
	}
	if n := y.log.count("inbox is watched"); n != 2 {
		t.Errorf("logged %d times", n)
	}
}
