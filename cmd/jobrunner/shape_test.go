//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const shapeConfig = `listen: ""
max_concurrent: 1
settle_bad: 200ms
types:
  end: {command: [sh, -c, 'exit $0']}
  kill: {command: [sh, -c, 'kill -KILL $$']}
  stay: {command: [sh, -c, 'until [ -e open ]; do sleep 0.05; done']}
  gone: {command: [no-such-program]}
`

// The keys of every job's object.
const alwaysThere = "id type target args state reason priority attempt source submitted_at "

var milliseconds = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// What is known of a job is in its object, what is not known is left out; the
// reply to a file and show --json give the same object, show with the attempts
// that have ended and with what is measured.
func TestShapeOfAJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": shapeConfig})
	w.start()
	for _, c := range []struct{ file, text, state, reason, keys string }{
		{"ok.yaml", "type: end\nargs: [0]\nname: x\nlabels: {a: b}", "COMPLETED", "exit 0",
			"started_at finished_at node log command exit_code name labels"},
		{"bad.json", `{"type":"end","args":["7"]}`, "FAILED", "exit 7",
			"started_at finished_at node log command exit_code"},
		{"kill.yml", "type: kill", "FAILED", "signal 9 (SIGKILL)",
			"started_at finished_at node log command signal"},
		{"gone.yaml", "type: gone", "FAILED", "start: no-such-program not found in PATH",
			"started_at finished_at node"},
		{"no.yaml", "type: ned", "REJECTED", `no.yaml:1:7: unknown type "ned"; did you mean "end"?`,
			"finished_at"},
		{"stay.txt", "stay", "RUNNING", "",
			"started_at node log command pid"},
		{"wait.job", "end 0", "PENDING", "limit: 1 of 1 running",
			""},
	} {
		job := w.jobOf(c.file, c.text, c.state)
		want := slices.Sorted(slices.Values(strings.Fields(alwaysThere + c.keys)))
		if got := slices.Sorted(maps.Keys(job)); !slices.Equal(got, want) {
			t.Errorf("%s: keys %q,\nwant %q", c.file, got, want)
		}
		if job["reason"] != c.reason {
			t.Errorf("%s: reason %q, want %q", c.file, job["reason"], c.reason)
		}
		if _, ok := job["args"].([]any); !ok {
			t.Errorf("%s: args is %v, want a list", c.file, job["args"])
		}
		for key, value := range job {
			if at, _ := value.(string); strings.HasSuffix(key, "_at") && !milliseconds.MatchString(at) {
				t.Errorf("%s: %s is %q, want RFC 3339 in UTC with milliseconds", c.file, key, at)
			}
		}
		var shown map[string]any
		if err := json.Unmarshal([]byte(w.run("show", "--json", fmt.Sprint(job["id"]))), &shown); err != nil {
			t.Fatal(err)
		}
		past, ended := shown["attempts"].([]any) // it alone has the attempts that have ended
		if wanted := c.state != "REJECTED" && job["finished_at"] != nil; ended != wanted || wanted && len(past) != 1 {
			t.Errorf("%s: attempts are %v, want one if it has ended", c.file, shown["attempts"])
		}
		delete(shown, "attempts")
		if _, measured := shown["usage"]; c.state == "RUNNING" && !measured && runtime.GOOS == "linux" {
			t.Errorf("%s: show has no usage", c.file)
		}
		delete(shown, "usage") // nor is what was measured in a reply
		if got := slices.Sorted(maps.Keys(shown)); !slices.Equal(got, want) {
			t.Errorf("%s: show has the keys %q,\nwant %q", c.file, got, want)
		}
	}
	w.write("open", "")
}

// jobOf drops a request file and returns its job as the reply has it once it
// is in that state.
func (w *world) jobOf(file, text, state string) map[string]any {
	w.Helper()
	w.write("inbox/."+file, text)
	if err := os.Rename(w.path("inbox/."+file), w.path("inbox/"+file)); err != nil {
		w.Fatal(err)
	}
	type whole struct {
		File, State, Reason string
		Jobs                []map[string]any
	}
	var reply whole
	w.until(file+" is "+state, func() error {
		reply = whole{} // else keys of the reply before would stay
		data, err := os.ReadFile(w.path("outbox/" + file + ".json"))
		if err == nil {
			err = json.Unmarshal(data, &reply)
		}
		switch {
		case err != nil:
			return err
		case reply.State != state, state == "RUNNING" && reply.Jobs[0]["pid"] == nil:
			return errors.New("its reply is " + string(data))
		}
		return nil
	})
	if reply.File != file || len(reply.Jobs) != 1 || reply.Jobs[0]["state"] != state || reply.Jobs[0]["reason"] != reply.Reason {
		w.Fatalf("reply to %s is %+v", file, reply)
	}
	return reply.Jobs[0]
}
