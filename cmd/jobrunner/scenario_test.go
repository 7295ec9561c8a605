//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
	"jobrunner/runner"
)

// scenario is what people and programs do while something befalls the daemon
// and its supervisor. Together they lead past every step.
type scenario struct {
	name   string
	config string        // further types and keys
	before func(*oracle) // what happens before the first daemon starts
	during func(*oracle) // what happens then, until all has ended
	blow   *blow         // what befalls it in any case
}

func (sc *scenario) String() string { return sc.name }

var meanwhile = blow{"wait", "serve", 1, "queue file: plan written"}

// scenarios are in the order in which they are chosen for a step, the cheapest
// ones first.
var scenarios = []*scenario{
	{name: "all", config: "queue_keep: 6\n", before: beforeAll, during: allWaysIn},
	{name: "meanwhile", during: appendMeanwhile, blow: &meanwhile},
	{name: "far", before: lineFarAhead},
	{name: "across", before: outboxElsewhere, during: func(o *oracle) { o.askFile("file", 2) }},
	{name: "reader", during: besideReader},
	{name: "removal", during: removeLine},
	{name: "terminal", config: "  terminal: {command: [sh, say.sh], tty: true}\n", before: writeSay, during: onTerminal},
}

// world makes the world of a scenario.
func (sc *scenario) world(t *testing.T, blows ...blow) *oracle {
	t.Helper()
	const limit = 3
	config := fmt.Sprintf(oracleConfig, limit) + "  copied: {interpreter: [sh], scripts: copied, on_change: copy}\n" + sc.config
	o := newOracle(newWorld(t, map[string]string{"jobrunner.yaml": config}), limit)
	o.write("copied/copied.sh", o.read("scripts/trace.sh"))
	if sc.blow != nil {
		blows = append(blows, *sc.blow)
	}
	o.env = append(o.env, passedVar+"="+o.path("passed"))
	o.expectBlows(blows...)
	if sc.before != nil {
		sc.before(o)
	}
	return o
}

// run goes through the scenario, until all that was asked for has ended.
func (sc *scenario) run(o *oracle) {
	o.Helper()
	if sc.during != nil {
		sc.during(o)
	}
	o.settle()
	o.check()
}

// beforeAll leaves requests where no daemon runs, and a journal that is long
// enough to be written anew.
func beforeAll(o *oracle) {
	o.askLine("early-line", 1)
	o.askFile("early-file", 0)
	var journal bytes.Buffer
	for range 1000 {
		text, err := json.Marshal(map[string]string{"k": "instance", "i": uuid.NewString(), "boot": "before"})
		if err != nil {
			o.Fatal(err)
		}
		fmt.Fprintf(&journal, "%08x %s\n", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)), text)
	}
	if err := os.Mkdir(o.path(".jobrunner"), 0o700); err != nil {
		o.Fatal(err)
	}
	o.write(".jobrunner/supervisor.journal", journal.String())
}

// allWaysIn asks for jobs of all kinds in all ways, and for the end of one.
func allWaysIn(o *oracle) {
	sleeper := uuid.NewString()
	o.expect("sleeper", 0).removed = true
	o.append(sleeper + " trace.sh sleeper 0 60 PENDING")
	o.askLine("line", 0)
	o.askFile("file", 4)
	o.expect("again", 2).retries = 2
	o.append(`{"type": "again", "args": ["again", "2"]}`)
	o.expect("copied", 3)
	o.append("copied.sh copied 3")
	o.rejected = 1
	o.append("nonsense 1 2", "pause copied")
	o.expect("first", 0)
	o.expect("second", 1)
	o.place("inbox/two.yaml", "script: trace.sh\nargs: [first, 0]\n---\nscript: trace.sh\nargs: [second, 1]\n")
	o.until("the sleeper runs, or was lost at its start", func() error {
		if slices.Contains(o.traced(), "start sleeper 1") {
			return nil
		}
		return o.hasLine("sleeper", jobs.Lost)
	})
	o.place("inbox/cancel.yaml", "action: cancel\nids: ["+sleeper+"]\n")
	o.append("resume copied")
	o.answered("two.yaml", jobs.Failed)
	o.expect("third", 2)
	o.place("inbox/two.yaml", "script: trace.sh\nargs: [third, 2]\n") // a name that comes again
}

// appendMeanwhile appends a line between the plan to write and the writing.
func appendMeanwhile(o *oracle) {
	o.askLine("planned", 0)
	o.until("it has a plan to write", func() error { return exists(markOf(o.path("blows"), meanwhile)) })
	o.askLine("meanwhile", 3)
	o.write("dealt "+meanwhile.String()+".over", "")
}

// lineFarAhead leaves a line so far ahead of the file's end that it is not
// worth writing anew all that follows.
func lineFarAhead(o *oracle) {
	o.expect("far", 0)
	o.write("job_queue.txt", "trace.sh far 0\n"+strings.Repeat("# "+strings.Repeat("long ", 2000)+"\n", 120))
}

// outboxElsewhere puts the outbox on another file system, if there is one.
func outboxElsewhere(o *oracle) {
	dir, err := os.MkdirTemp("/dev/shm", "jobrunner-")
	if err != nil {
		o.Skipf("there is no other file system to write to: %v", err)
	}
	o.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Symlink(dir, o.path("outbox")); err != nil {
		o.Fatal(err)
	}
}

// besideReader asks for jobs while another program has the queue file open.
func besideReader(o *oracle) {
	o.askLine("before", 0)
	o.until("its line is there", func() error { return o.hasLine("before", jobs.Completed) })
	f, err := os.Open(o.path("job_queue.txt"))
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { f.Close() })
	o.askLine("beside", 1)
	o.askLine("beside-too", 0)
}

// writeSay writes the job that says something at its begin and end, too. As "left" it
// leaves a process behind that keeps the terminal open until a relay has said that
// its output is whole: else a relay may see the terminal's end before the job's, and
// has nothing to say. Nor is that said if the supervisor is killed too early.
func writeSay(o *oracle) {
	o.write("say.sh", `[ "$1" != left ] || (
	n=0
	until grep -q "relay: output is whole" passed || ls | grep -q "^dealt.*\(both\|supervise\)" || [ $((n += 1)) -gt 300 ]; do
		sleep 0.1
	done
) &
echo hello
(. ./scripts/trace.sh)
code=$?
echo farewell
exit $code
`)
}

// onTerminal asks for jobs with a terminal. Unless their relay was killed all of their
// output is in their logs, whatever else was.
func onTerminal(o *oracle) {
	for _, tag := range []string{"terminal", "left"} {
		o.expect(tag, 3)
		o.append(`{"type": "terminal", "args": ["` + tag + `", "3", "0.2"]}`)
	}
	o.settle()
	all, err := o.all()
	if err != nil {
		o.Fatal(err)
	}
	blows, _ := os.ReadFile(o.path("blows"))
	for _, j := range all {
		if j.State == jobs.Lost || strings.Contains(string(blows), " "+runner.RelayVerb+" ") {
			continue
		}
		if out := o.run("logs", j.ID); out != "hello\nfarewell\n" {
			o.Errorf("%q, %s %q: its output is %q", j.Args, j.State, j.Reason, out)
		}
	}
}

// removeLine removes the line of a job that waits, as a page does: reads all,
// cuts the file, and writes all but one.
func removeLine(o *oracle) {
	o.askLine("other", 0)
	o.expect("held", 0).removed = true
	o.append(`{"type": "again", "args": ["held", "0"], "hold": true}`)
	o.until("its line is there", func() error {
		return errors.Join(o.hasLine("held", jobs.Pending), o.hasLine("other", jobs.Completed))
	})
	time.Sleep(5200 * time.Millisecond) // what a tool removes must have been there for it to see
	o.until("it is removed", func() error {
		if o.hasLine("held", jobs.Pending) != nil {
			return nil
		}
		o.rewriteWithout("held")
		return nil
	})
}
