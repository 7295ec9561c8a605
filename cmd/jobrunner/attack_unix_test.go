//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

const attackConfig = `listen: unix:DIR/page.sock
settle: 10ms
settle_bad: 10ms
poll_interval: 100ms
types:
  say: {command: [sh, -c, 'printf "%s\0" "$@"', say]}
  run: {interpreter: [sh], scripts: scripts, extensions: [.sh]}
`

// attacked is a world whose daemon works.
func attacked(t *testing.T, files map[string]string) *world {
	t.Helper()
	w := newWorld(t, files)
	w.write("jobrunner.yaml", strings.ReplaceAll(attackConfig, "DIR", w.dir))
	if !w.has("scripts") {
		w.write("scripts/a.sh", "echo a\n")
	}
	w.start()
	return w
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// What stands in the inbox and is no file of its own is neither read, nor waited
// for, nor taken away; the page lists it, and what comes after it is taken.
func TestTrapsInTheInbox(t *testing.T) {
	t.Parallel()
	const stolen = "type: say\nargs: [stolen]\n"
	w := attacked(t, map[string]string{"elsewhere/secret.yaml": stolen, "elsewhere/linked.yaml": stolen})
	in := func(name string) string { return w.path("inbox/" + name) }
	must(t, os.Symlink(w.path("elsewhere/secret.yaml"), in("link.yaml")), os.Symlink("loop.yaml", in("loop.yaml")),
		os.Symlink("/dev/zero", in("endless.yaml")), os.Symlink(w.path("elsewhere"), in("folderlink.yaml")),
		os.Link(w.path("elsewhere/linked.yaml"), in("hard.yaml")), syscall.Mkfifo(in("fifo.yaml"), 0o666),
		os.Mkdir(in("folder.yaml"), 0o777))
	names := []string{"link.yaml", "loop.yaml", "endless.yaml", "folderlink.yaml", "hard.yaml", "fifo.yaml", "folder.yaml"}
	if syscall.Mknod(in("device.yaml"), syscall.S_IFCHR|0o666, 1<<8|5) == nil { // /dev/zero; only root can
		names = append(names, "device.yaml")
	}
	big, err := os.Create(in("big.tmp"))
	must(t, err)
	must(t, big.Truncate(1<<40), big.Close(), os.Rename(in("big.tmp"), in("big.yaml"))) // a terabyte of nothing
	names = append(names, "big.yaml")

	w.rename("inbox/good.yaml", "type: say\nargs: [good]\n")
	w.until("what comes after is taken", func() error { return w.stateOf("outbox/good.yaml.json", "COMPLETED") })
	page := body(t, socketClient(t, w.path("page.sock")), "/")
	for _, name := range names {
		if _, err := os.Lstat(in(name)); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
		if !strings.Contains(page, name) {
			t.Errorf("the page does not list %s", name)
		}
		if w.has("outbox/" + name) {
			t.Errorf("%s was taken", name)
		}
	}
	w.nothingStolen(1)
}

// stateOf tells why a reply does not say that state.
func (w *world) stateOf(reply, state string) error {
	if text := strings.Join(w.lines(reply), " "); !strings.Contains(text, `"`+state+`"`) {
		return fmt.Errorf("%s says %q", reply, text)
	}
	return nil
}

// nothingStolen looks for what only a look behind a link could have shown, and
// whether there are as many jobs as there should be.
func (w *world) nothingStolen(want int) {
	w.Helper()
	w.files(func(name, text string) {
		if !strings.HasPrefix(name, "elsewhere/") && !strings.HasPrefix(name, "inbox/") && strings.Contains(text, "stolen") {
			w.Errorf("%s shows what lies elsewhere", name)
		}
	})
	q := w.queue()
	defer q.Close()
	found, err := q.List(context.Background(), jobs.Filter{Limit: 500})
	if err != nil || want >= 0 && len(found) != want {
		w.Errorf("%d jobs, %v, want %d", len(found), err, want)
	}
	for _, j := range found {
		if slices.Contains(j.Args, "stolen") {
			w.Errorf("job %s is of what lies elsewhere: %q", j.ID, j.Args)
		}
	}
}

// A file that is swapped for a link, a pipe or a folder between the look at it and
// its being opened is seen through, thousands of times.
func TestSwappedInTheInbox(t *testing.T) {
	t.Parallel()
	w := attacked(t, map[string]string{"elsewhere/secret.yaml": "type: say\nargs: [stolen]\n"})
	stop := make(chan struct{})
	var all sync.WaitGroup
	t.Cleanup(all.Wait)
	end := sync.OnceFunc(func() { close(stop) })
	t.Cleanup(end)
	swaps := 0
	all.Go(func() { swaps = w.swap(stop) })
	for i := range 30 {
		name := fmt.Sprintf("good%d.yaml", i)
		w.rename("inbox/"+name, "type: say\nargs: [good]\n")
		w.until("others are taken meanwhile", func() error { return w.stateOf("outbox/"+name+".json", "COMPLETED") })
	}
	end()
	all.Wait()
	t.Logf("%d swaps", swaps)
	w.nothingStolen(-1)
	if pid, _, err := lockHolder(w.path(".jobrunner")); err != nil || pid != w.daemon.Process.Pid {
		t.Errorf("the daemon is gone: %d, %v", pid, err)
	}
}

// swap puts one thing after the other under one name in the inbox until stop is
// closed, and counts them.
func (w *world) swap(stop <-chan struct{}) (n int) {
	at, next := w.path("inbox/swap.yaml"), w.path("inbox/.next")
	kinds := []func() error{
		func() error { return os.WriteFile(next, []byte("type: say\nargs: [plain]\n"), 0o666) },
		func() error { return os.Symlink(w.path("elsewhere/secret.yaml"), next) },
		func() error { return syscall.Mkfifo(next, 0o666) },
		func() error { return os.Link(w.path("elsewhere/secret.yaml"), next) },
	}
	for ; ; n++ {
		select {
		case <-stop:
			_ = os.Remove(at)
			return n
		default:
		}
		_ = os.Remove(next)
		if kinds[n%len(kinds)]() == nil {
			_ = os.Rename(next, at)
		}
	}
}

// Whatever is put in the place of job_queue.txt, nothing is taken from behind it,
// nothing elsewhere is written to, and the inbox goes on; a file that is back is
// taken up again.
func TestQueueFileIsSwapped(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(w *world, at string) error{
		"fifo":   func(_ *world, at string) error { return syscall.Mkfifo(at, 0o666) },
		"folder": func(_ *world, at string) error { return os.Mkdir(at, 0o777) },
		"link":   func(w *world, at string) error { return os.Symlink(w.path("elsewhere/victim"), at) },
		"device": func(_ *world, at string) error { return syscall.Mknod(at, syscall.S_IFCHR|0o666, 1<<8|5) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := attacked(t, map[string]string{"elsewhere/victim": "root:x:0:0\n"})
			at := w.path("job_queue.txt")
			client := socketClient(t, w.path("page.sock"))
			w.until("requests are taken", func() error {
				answer, err := client.Get("http://localhost/readyz")
				if err == nil {
					answer.Body.Close()
				}
				if err == nil && answer.StatusCode != http.StatusOK {
					err = errors.New(answer.Status)
				}
				return err
			})
			must(t, os.Remove(at))
			if err := put(w, at); err != nil {
				t.Skip(err)
			}
			w.rename("inbox/good.yaml", "type: say\nargs: [good]\n")
			w.until("the inbox goes on", func() error { return w.stateOf("outbox/good.yaml.json", "COMPLETED") })
			if name != "link" {
				must(t, os.Remove(at))
				w.rename("job_queue.txt", "say again\n")
				w.until("a file is taken again", func() error {
					if text := strings.Join(w.lines("job_queue.txt"), "\n"); !strings.Contains(text, " say again COMPLETED") {
						return errors.New(text)
					}
					return nil
				})
			}
		})
	}
}

// A daemon that finds something else in the place of job_queue.txt says so, and how
// to go on, and waits for nobody.
func TestQueueFileIsNone(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(string) error{
		"fifo": mkfifo, "folder": func(at string) error { return os.Mkdir(at, 0o777) },
		"link": func(at string) error { return os.Symlink("/etc/hostname", at) },
	} {
		w := newWorld(t, map[string]string{"jobrunner.yaml": "listen: \"\"\ntypes: {say: {command: [echo]}}\n"})
		must(t, put(w.path("job_queue.txt")))
		_, errs, code := w.try("serve")
		if code != 1 || !strings.Contains(errs, "job_queue.txt") || !strings.Contains(errs, "regular file") && !strings.Contains(errs, "link") {
			t.Errorf("%s: exit %d, %q", name, code, errs)
		}
	}
}

// No name leads out of the scripts folder, when a job is accepted and again when it
// is started.
func TestScriptsStayInTheirFolder(t *testing.T) {
	t.Parallel()
	w := attacked(t, map[string]string{"scripts/a.sh": "echo a\n", "scripts/b.sh": "echo b\n", "elsewhere/evil.sh": "touch DIR/stolen\n"})
	w.write("elsewhere/evil.sh", "touch "+w.path("stolen")+"\n")
	must(t, os.Symlink(w.path("elsewhere/evil.sh"), w.path("scripts/link.sh")), os.Symlink(w.path("elsewhere"), w.path("scripts/sub")),
		os.Symlink("..", w.path("scripts/up")), syscall.Mkfifo(w.path("scripts/pipe.sh"), 0o666))
	for _, name := range []string{
		"../elsewhere/evil.sh", "scripts/../elsewhere/evil.sh", "a/../../elsewhere/evil.sh", w.path("elsewhere/evil.sh"), "link.sh",
		"sub/evil.sh", "scripts/link.sh", "./sub/../../elsewhere/evil.sh", "up/elsewhere/evil.sh", `..\elsewhere\evil.sh`, "/bin/sh", "../../bin/sh", "pipe.sh", "scripts",
	} {
		out, errs, code := w.try("add", name)
		if code == 0 {
			t.Errorf("%s was accepted: %s", name, out)
		}
		if !strings.Contains(errs, "script") && !strings.Contains(errs, "unknown type") {
			t.Errorf("%s: no words: %q", name, errs)
		}
	}
	for name, swap := range map[string]func(string) error{
		"a.sh": func(at string) error { return os.Symlink(w.path("elsewhere/evil.sh"), at) },
		"b.sh": func(at string) error { return syscall.Mkfifo(at, 0o666) },
	} {
		id := strings.TrimSpace(w.run("add", "--hold", name))
		must(t, os.Remove(w.path("scripts/"+name)), swap(w.path("scripts/"+name)))
		w.run("release", id)
		w.until("it has ended", func() error {
			if j := w.job(id); j.State != jobs.Failed || !strings.HasPrefix(j.Reason, fmt.Sprintf("start: script %q is ", name)) {
				return fmt.Errorf("%s %q", j.State, j.Reason)
			}
			return nil
		})
	}
	if w.has("stolen") {
		t.Error("what lies outside was run")
	}
}

// hostile are words that a shell, a terminal, a page or a program could take for
// more than words.
var hostile = []string{
	"$(touch stolen)", "`touch stolen`", "; touch stolen", "| touch stolen", "&& touch stolen", "> stolen", "a\ntouch stolen",
	"$HOME", "~", "*", "{a,b}", "%PATH%", "!!", "'", `"`, `\`, "#", "-c", "--", "--help", "-rf", "@/etc/passwd", "<script>alert(1)</script>",
	`"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "\x1b]0;owned\x07", "\x1b[2J\x1b[31m", "a\rb", "\u009b31m", "\u202egnp.exe", "\u2028", "\ufeff", "é", "",
}

// Every word of a request is handed to its program as it is, by whatever way it
// came, and no shell ever sees it.
func TestArgumentsAreOnlyWords(t *testing.T) {
	t.Parallel()
	w := attacked(t, nil)
	yaml, list := "type: say\nargs:\n", []string{}
	for _, word := range hostile {
		quoted := quoteJSON(t, word)
		yaml += "  - " + strconv.QuoteToASCII(word) + "\n"
		list = append(list, quoted)
	}
	ids := map[string]string{"add": strings.TrimSpace(w.run(append([]string{"add", "--wait", "say"}, hostile...)...))}
	w.rename("inbox/words.yaml", yaml)
	w.rename("inbox/words.json", `{"type": "say", "args": [`+strings.Join(list, ", ")+"]}")
	w.appendLine(`{"type": "say", "name": "line", "args": [` + strings.Join(list, ", ") + "]}")
	w.until("all have been run", func() error {
		if n := w.counts()[jobs.Completed]; n != 4 {
			return fmt.Errorf("%d have", n)
		}
		return nil
	})
	q := w.queue()
	defer q.Close()
	found, err := q.List(context.Background(), jobs.Filter{})
	must(t, err)
	for _, j := range found {
		ids[j.Source] = j.ID
	}
	for way, id := range ids {
		out, err := os.ReadFile(w.path(".jobrunner/logs/" + id + ".log"))
		if want := strings.Join(hostile, "\x00") + "\x00"; err != nil || string(out) != want {
			t.Errorf("%s: the program got\n%q, %v, want\n%q", way, out, err, want)
		}
	}
	if left, _ := filepath.Glob(w.path("*/stolen")); w.has("stolen") || len(left) > 0 {
		t.Error("a word was carried out")
	}
}

func quoteJSON(t *testing.T, word string) string {
	t.Helper()
	text, err := json.Marshal(word)
	must(t, err)
	return string(text)
}

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o666) }
