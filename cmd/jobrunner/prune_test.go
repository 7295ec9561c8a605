//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

const pruneConfig = `listen: ""
retention: {age: 720h, jobs: 10000}
types:
  say: {command: [echo]}
  again: {command: [sh, -c, 'echo no; exit 7'], max_retries: 1, retry_delay: 10ms}
  copied: {interpreter: [sh], scripts: scripts, on_change: copy}
`

// pruning is a world with ended jobs, and one that waits.
type pruning struct {
	*world
	gone []string // ids of jobs and sweeps that are to go
	held string
}

func newPruning(t *testing.T) *pruning {
	p := &pruning{world: newWorld(t, map[string]string{
		"jobrunner.yaml": pruneConfig, "scripts/hi.sh": "echo hi\n",
		"sweep.yaml": "id: aaaaaaaa-0000-4000-8000-000000000001\ntype: say\nargs: ['{n}']\nforeach: {n: [1, 2, 3]}\n",
	})}
	p.start()
	p.held = strings.TrimSpace(p.run("add", "--hold", "say", "held"))
	for _, args := range [][]string{{"say", "one"}, {"again"}, {"hi.sh"}} {
		p.gone = append(p.gone, strings.TrimSpace(p.run(append([]string{"add"}, args...)...)))
	}
	p.place("sweep.yaml", "sweep.yaml")
	p.until("the sweep is taken", func() error { return exists(p.path("outbox/sweep.yaml.json")) })
	p.gone = append(p.gone, "aaaaaaaa-0000-4000-8000-000000000001")
	_, _, _ = p.try(append([]string{"wait"}, p.gone...)...)
	p.end(syscall.SIGTERM)
	copies, err := filepath.Glob(p.path(".jobrunner/scripts/*"))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies of scripts: %q, %v", copies, err)
	}
	old := time.Now().Add(-24 * time.Hour) // nobody has counted on it lately
	if err := os.Chtimes(copies[0], old, old); err != nil {
		t.Fatal(err)
	}
	return p
}

// place puts a copy of a file into the inbox.
func (p *pruning) place(from, name string) {
	p.Helper()
	p.write("inbox/."+name, p.read(from))
	if err := os.Rename(p.path("inbox/."+name), p.path("inbox/"+name)); err != nil {
		p.Fatal(err)
	}
}

// check fails unless all that was to go is gone, and nothing else.
func (p *pruning) check() {
	p.Helper()
	names := func(folder string) (list []string) {
		entries, err := os.ReadDir(p.path(folder))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			p.Error(err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".jobrunner-") { // torn by a crash; goes when it is old
				list = append(list, e.Name())
			}
		}
		return list
	}
	if got := append(names(".jobrunner/logs"), names(".jobrunner/scripts")...); len(got) > 0 {
		p.Errorf("left in the state folder: %q", got)
	}
	held := "add-" + p.held[:8] + ".yaml"
	want := []string{held, held + ".json", "prune.yaml", "prune.yaml.json"}
	if got := names("outbox"); !slices.Equal(got, want) {
		p.Errorf("in the outbox is %q, want %q", got, want)
	}
	if lines := p.lines("job_queue.txt"); len(lines) != 1 || !strings.HasPrefix(lines[0], p.held) {
		p.Errorf("the queue file holds %q", lines)
	}
	q := p.queue()
	defer q.Close()
	for _, kind := range []string{jobs.TrashLog, jobs.TrashReply, jobs.TrashScript} {
		if trash, err := q.Trash(p.Context(), kind, "", 9); err != nil || len(trash) > 0 {
			p.Errorf("trash that is left: %+v, %v", trash, err)
		}
	}
	events, err := q.Events(p.Context(), 0, 1000)
	if err != nil {
		p.Error(err)
	}
	for _, e := range events {
		if e.Job != p.held && e.Kind != jobs.EventPrune {
			p.Errorf("an event is left: %+v", e)
		}
	}
	for _, id := range p.gone {
		_, errs, code := p.try("show", id)
		if code != exitNotFound || !strings.Contains(errs, " and was pruned") {
			p.Errorf("show %s: exit %d, %s", id, code, errs)
		}
	}
	if j := p.job(p.held); j.State != jobs.Pending {
		p.Errorf("the held job is %s", j.State)
	}
}

// The daemon is killed at each moment of pruning, and the next one goes on:
// nothing of the jobs is left behind, and nothing else goes. The long version
// also kills it at later passages.
func TestPruneKilledAtEachStep(t *testing.T) {
	t.Parallel()
	steps := stepsInSource(t, "../../jobs", "../../retention", "../../watcher")
	tried := 0
	for name := range steps {
		if !strings.HasPrefix(name, "prune: ") {
			continue
		}
		for n := 1; n <= rounds(1, 4); n++ {
			tried++
			t.Run(fmt.Sprintf("%s %d", name, n), func(t *testing.T) {
				t.Parallel()
				p := newPruning(t)
				b := blow{"kill", "serve", n, name}
				p.expectBlows(b)
				p.write("prune.yaml", "action: prune\nkeep: 0\n")
				p.place("prune.yaml", "prune.yaml")
				stop := p.keep()
				p.until("it is answered", func() error {
					text, _ := os.ReadFile(p.path("outbox/prune.yaml.json"))
					if !strings.Contains(string(text), `"COMPLETED"`) {
						return fmt.Errorf("the reply is %q", text)
					}
					if n == 1 && !p.dealt(b) {
						return errors.New("it was not killed: is the step passed?")
					}
					return nil
				})
				stop()
				if want := `"pruned 6 jobs, `; !strings.Contains(p.read("outbox/prune.yaml.json"), want) {
					t.Errorf("the reply has no %s: %s", want, p.read("outbox/prune.yaml.json"))
				}
				p.check()
				p.comesAgain()
			})
		}
	}
	if tried < 8 {
		t.Errorf("only %d steps", tried)
	}
}

// comesAgain asks for jobs that are gone once more, in all ways: none runs.
func (p *pruning) comesAgain() {
	p.Helper()
	p.write("job_queue.txt", p.read("job_queue.txt")+p.gone[0]+" say one PENDING\n")
	p.start()
	defer p.end(syscall.SIGTERM)
	p.place("sweep.yaml", "sweep.yaml")
	p.until("it is refused", func() error {
		text, _ := os.ReadFile(p.path("outbox/sweep.yaml.json"))
		if !strings.Contains(string(text), "belongs to a sweep that COMPLETED on ") {
			return fmt.Errorf("the reply is %q", text)
		}
		return nil
	})
	p.until("the line goes", func() error {
		if text := p.read("job_queue.txt"); strings.Contains(text, p.gone[0]) {
			return errors.New(text)
		}
		return nil
	})
	if n := p.counts(); n[jobs.Completed]+n[jobs.Running]+n[jobs.Failed] > 0 {
		p.Errorf("something ran again: %v", n)
	}
}
