package watcher

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// A pair in the outbox goes when the queue has forgotten it; what somebody else
// has put there stays.
func TestDiscard(t *testing.T) {
	t.Parallel()
	reply := "{\n  \"file\": \"%s\",\n  \"state\": \"COMPLETED\",\n  \"reason\": \"\"\n}\n"
	of := func(job string) string {
		return "{\n  \"file\": \"%s\",\n  \"state\": \"COMPLETED\",\n  \"reason\": \"\",\n  \"jobs\": [{\"id\": \"" + job + "\"}, {}]\n}\n"
	}
	const mine = "bbbbbbbb-0000-4000-8000-000000000001"
	taken := time.Now().Add(-time.Hour)
	for _, c := range []struct {
		name          string
		request, text string // of the file and of its reply; "" if it is not there
		known         bool   // the name has come again
		gone          bool
	}{
		{name: "both", request: "type: a\n", text: reply, gone: true},
		{name: "of a job that was ours", request: "type: a\n", text: of(mine), gone: true},
		{name: "of another daemon's job", request: "type: a\n", text: of("cccccccc-0000-4000-8000-000000000001")},
		{name: "only the reply is left", text: reply, gone: true},
		{name: "somebody's reply", request: "type: a\n", text: `{"file": "train.yaml"}`},
		{name: "no reply", request: "type: a\n"},
		{name: "of another file", request: "type: a\n", text: "{\n  \"file\": \"other.yaml\",\n  \"state\": \"COMPLETED\""},
		{name: "the name has come again", request: "type: a\n", text: reply, known: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			y := newTray(t)
			w := &Watcher{inbox: y.box}
			const name = "train.yaml"
			ours := jobs.Intake{Entries: []jobs.Entry{{Job: &jobs.Job{ID: mine, State: jobs.Completed}}}}
			if _, err := y.queue.Accept(context.Background(), ours); err != nil {
				t.Fatal(err)
			}
			if c.request != "" {
				y.put(y.outbox+"/"+name, c.request)
				if err := os.Chtimes(y.outbox+"/"+name, taken, taken); err != nil {
					t.Fatal(err)
				}
			}
			if c.text != "" {
				y.put(y.outbox+"/"+name+".json", strings.ReplaceAll(c.text, "%s", name))
			}
			if c.known {
				j := &jobs.Job{ID: "aaaaaaaa-0000-4000-8000-000000000001", State: jobs.Pending}
				in := jobs.Intake{Receipt: &jobs.Receipt{ID: "r", Name: name}, Entries: []jobs.Entry{{Job: j}}}
				if _, err := y.queue.Accept(context.Background(), in); err != nil {
					t.Fatal(err)
				}
			}
			size, err := w.Discard(context.Background(), name, taken)
			if err != nil || (size > 0) != c.gone {
				t.Errorf("%d bytes, %v", size, err)
			}
			if got := exists(y.outbox + "/" + name); got != (c.request != "" && !c.gone) {
				t.Errorf("the request is there: %v", got)
			}
			if got := exists(y.outbox + "/" + name + ".json"); got != (c.text != "" && !c.gone) {
				t.Errorf("the reply is there: %v", got)
			}
		})
	}
}

// A request file that somebody has written since it was taken is theirs.
func TestDiscardLeavesWhatWasWrittenSince(t *testing.T) {
	t.Parallel()
	y := newTray(t)
	w := &Watcher{inbox: y.box}
	y.put(y.outbox+"/train.yaml", "mine now")
	y.put(y.outbox+"/train.yaml.json", "{\n  \"file\": \"train.yaml\",\n  \"state\": \"FAILED\"")
	if _, err := w.Discard(context.Background(), "train.yaml", time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if !exists(y.outbox+"/train.yaml") || exists(y.outbox+"/train.yaml.json") {
		t.Error("the request must stay, and the reply go")
	}
}
