//go:build unix

package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// remover goes on where the functions of a page of before end: twenty times a
// second it removes a job of those in the file "held", or one that is not there.
const remover = `
import random
random.seed(sys.argv[1])
ids = open("held").read().split()
until = time.monotonic() + float(sys.argv[2])
with open("rewrites", "a", buffering=1) as log:
    while time.monotonic() < until:
        job_id = random.choice(ids + [str(uuid.uuid4())])
        begun = time.time_ns()
        remove(job_id)
        log.write(f"{begun} {time.time_ns()} {job_id}\n")
        time.sleep(0.05)
`

// The function of an old page that removes a job by rewriting the whole file
// runs all the time while eight programs append lines. Every line is one job
// and runs once, but for those that the page itself destroys: what is appended
// after it has read the file and before it has written it. No job is cancelled
// whose line it did not remove, and nothing half is taken for a request.
func TestRemovedBesideAppenders(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	o := newOracle(newWorld(t, map[string]string{"jobrunner.yaml": fmt.Sprintf(oracleConfig, 8) + "queue_keep: 20\n"}), 8)
	page, err := os.ReadFile("testdata/page.py")
	if err != nil {
		t.Fatal(err)
	}
	functions, _, _ := strings.Cut(string(page), "def main")
	o.write("remover.py", functions+remover)
	o.start()
	removed, kept := o.askHeld("removed", 8), o.askHeld("kept", 4)
	o.write("held", strings.Join(removed, "\n"))

	length := time.Duration(rounds(6, 20)) * time.Second
	cmd := o.command("python3", "remover.py", fmt.Sprint(r.Int64()), fmt.Sprint(length.Seconds()))
	var words strings.Builder
	cmd.Stderr = &words
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	appended := o.appendAtOnce(8, length)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the page's function: %v\n%s", err, words.String())
	}
	rewrites := o.excuseDestroyed(appended)

	for _, id := range kept {
		if j := o.job(id); j.State != jobs.Pending {
			t.Errorf("a job whose line nobody removed is %s: %s", j.State, j.Reason)
		}
	}
	for n := range removed {
		o.note(fmt.Sprintf("removed-%d", n), func(a *asked) { a.removed = true })
	}
	for n, id := range kept {
		o.note(fmt.Sprintf("kept-%d", n), func(a *asked) { a.removed = true })
		o.append("cancel " + id)
	}
	for _, id := range removed {
		o.append("cancel " + id) // unless its removal has counted already
	}
	o.settle()
	o.check()
	all, err := o.all()
	if err != nil {
		t.Fatal(err)
	}
	asked := len(appended) + len(removed) + len(kept)
	t.Logf("%d rewrites destroyed %d of %d lines before they could be read", rewrites, asked-len(all), asked)
	o.end(syscall.SIGTERM)
}

// askHeld asks for jobs that wait, and gives their ids once their lines stand
// in the file.
func (o *oracle) askHeld(name string, n int) (ids []string) {
	o.Helper()
	for i := range n {
		tag := fmt.Sprintf("%s-%d", name, i)
		o.expect(tag, 0)
		ids = append(ids, uuid.NewString())
		o.append(fmt.Sprintf(`{"type": "again", "args": [%q, "0"], "hold": true, "id": %q}`, tag, ids[i]))
		o.until("its line is there", func() error { return o.hasLine(tag, jobs.Pending) })
	}
	return ids
}

// stretch is when something was done, in Unix ns.
type stretch struct{ from, to int64 }

// appendAtOnce has several writers append lines for some time, and says when
// each tag was appended.
func (o *oracle) appendAtOnce(writers int, length time.Duration) map[string]stretch {
	var mu sync.Mutex
	appended := map[string]stretch{}
	var wg sync.WaitGroup
	until := time.Now().Add(length)
	for w := range writers {
		wg.Go(func() {
			ticker := time.NewTicker(80 * time.Millisecond)
			defer ticker.Stop()
			for n := 0; time.Now().Before(until); n++ {
				tag := fmt.Sprintf("a%d-%d", w, n)
				from := time.Now().UnixNano()
				o.askLine(tag, n%5)
				mu.Lock()
				appended[tag] = stretch{from, time.Now().UnixNano()}
				mu.Unlock()
				<-ticker.C
			}
		})
	}
	wg.Wait()
	return appended
}

// excuseDestroyed notes which lines may have been destroyed: those that were
// appended while the page was at work. It gives how often it was.
func (o *oracle) excuseDestroyed(appended map[string]stretch) int {
	o.Helper()
	var rewrites []stretch
	for _, line := range o.lines("rewrites") {
		var s stretch
		var id string
		if _, err := fmt.Sscan(line, &s.from, &s.to, &id); err != nil {
			o.Fatalf("%q: %v", line, err)
		}
		rewrites = append(rewrites, s)
	}
	for tag, at := range appended {
		for _, s := range rewrites {
			if at.from <= s.to && s.from <= at.to {
				o.note(tag, func(a *asked) { a.maybe = true })
			}
		}
	}
	return len(rewrites)
}
