package watcher

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestSeveralRequestsAllOrNone(t *testing.T) {
	y := newTray(t)
	y.drop("three.yaml", "type: sleep\nargs: [1]\n---\ntype: sleep\nargs: [2]\n---\ntype: sleep\nargs: [3]\n")
	a := y.answered("three.yaml")
	if a.State != "PENDING" || a.Reason != "3 PENDING" || len(a.Jobs) != 3 {
		t.Fatalf("reply = %+v", a)
	}
	for i, j := range a.Jobs {
		if want := fmt.Sprintf("[%d]", i+1); fmt.Sprint(j.Args) != want {
			t.Errorf("job %d has args %v", i, j.Args)
		}
	}
	r, err := y.queue.Receipt(t.Context(), "three.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := uuid.NewSHA1(uuid.MustParse(r.ID), []byte("1")).String(); a.Jobs[1].ID != want {
		t.Errorf("second id = %s, want %s", a.Jobs[1].ID, want)
	}

	y.drop("bad.txt", "sleep 1\nslep 2\nsleep x\nsleep 3\nsleep\nsleep 1 2\n")
	a = y.answered("bad.txt")
	if a.State != "REJECTED" || len(a.Jobs) != 1 || a.Jobs[0].Target != "slep" {
		t.Errorf("reply = %+v", a)
	}
	for _, want := range []string{"bad.txt:2", "bad.txt:3", "bad.txt:5", "and 1 more"} {
		if !strings.Contains(a.Reason, want) {
			t.Errorf("reason %q lacks %q", a.Reason, want)
		}
	}
	if all := y.all(); len(all) != 4 {
		t.Errorf("%d jobs, want 3 and the REJECTED one", len(all))
	}
}

func TestRequestsOwnID(t *testing.T) {
	y := newTray(t)
	id := "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e2"
	y.drop("bad.yaml", "id: "+id+"\ntype: sleep\nargs: [x]\n")
	if a := y.answered("bad.yaml"); a.State != "REJECTED" || a.Jobs[0].ID != id {
		t.Errorf("rejected: %+v", a)
	}
	y.drop("a.yaml", "id: "+strings.ToUpper(id)+"\ntype: sleep\nargs: [1]\n")
	if a := y.answered("a.yaml"); a.State != "PENDING" || a.Jobs[0].ID != id {
		t.Errorf("used again: %+v", a)
	}
	y.drop("b.yaml", "id: "+id+"\ntype: sleep\nargs: [2]\n")
	if a := y.answered("b.yaml"); a.State != "PENDING" || a.Jobs[0].ID != id || len(a.Warnings) != 1 || fmt.Sprint(a.Jobs[0].Args) != "[1]" {
		t.Errorf("known, with other content: %+v", a)
	}
	y.drop("c.yaml", "id: "+id+"\ntype: sleep\nargs: [1]\nnonsense: 1\n")
	if a := y.answered("c.yaml"); a.State != "REJECTED" || a.Jobs[0].ID == id {
		t.Errorf("a bad file with the id of a good job: %+v", a)
	}
	if all := y.all(); len(all) != 2 {
		t.Errorf("%d jobs, want 2", len(all))
	}
}

func TestCommandFile(t *testing.T) {
	y := newTray(t)
	y.drop("a.yaml", "type: sleep\nargs: [1]\n")
	id := y.answered("a.yaml").Jobs[0].ID
	y.drop("stop.yaml", "action: cancel\nids: ["+id+"]\n")
	a := y.answered("stop.yaml")
	if a.State != "COMPLETED" || len(a.Jobs) != 1 || a.Jobs[0].ID != id || a.Jobs[0].State != "CANCELLED" {
		t.Errorf("cancel: %+v", a)
	}
	if err := y.box.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := y.reply("a.yaml"); a.State != "CANCELLED" || a.Reason != "cancelled by request" {
		t.Errorf("the job's own reply: %+v", a)
	}
	y.drop("none.txt", "cancel ffffffff\n")
	if a := y.answered("none.txt"); a.State != "REJECTED" || len(a.Jobs) != 0 || a.Reason == "" {
		t.Errorf("cancel of nothing: %+v", a)
	}
	y.drop("both.txt", "sleep 2\nretry "+id+"\n")
	if a := y.answered("both.txt"); len(a.Jobs) != 2 || a.State != "PENDING" || !strings.Contains(a.Reason, "attempt 2") {
		t.Errorf("a request and a command: %+v", a)
	}
}

func TestForeignTextInNames(t *testing.T) {
	y := newTray(t)
	name := "a\x1b[31m\n\xff.yaml"
	y.drop(name, "type: sleep\nargs: [\n")
	y.scanUntil("reply", func() bool { return exists(filepath.Join(y.outbox, name+".json")) })
	b, err := os.ReadFile(filepath.Join(y.outbox, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatal(err)
	}
	if want := "a\x1b[31m\n\uFFFD.yaml"; a.File != want || a.Jobs[0].Source != "inbox:"+want {
		t.Errorf("reply = %+v", a)
	}
	if !strings.HasPrefix(a.Reason, "a?[31m??.yaml:") {
		t.Errorf("reason = %q", a.Reason)
	}
	if n := y.log.count("u001b"); n != 0 {
		t.Errorf("%d log lines hold an escape sequence", n)
	}
}

func TestRequestsOwnIDOfASweep(t *testing.T) {
	y := newTray(t)
	id := "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e2"
	request := "id: " + id + "\ntype: sleep\nargs: ['{n}']\nforeach: {n: [%s]}\n"
	y.drop("bad.yaml", fmt.Sprintf(request, "1, x"))
	if a := y.answered("bad.yaml"); a.State != "REJECTED" || a.Jobs[0].ID != id {
		t.Errorf("rejected: %+v", a)
	}
	y.drop("a.yaml", fmt.Sprintf(request, "1, 2"))
	if a := y.answered("a.yaml"); a.State != "PENDING" || len(a.Jobs) != 2 {
		t.Errorf("used again: %+v", a)
	}
	y.drop("b.yaml", fmt.Sprintf(request, "1, x"))
	if a := y.answered("b.yaml"); a.State != "REJECTED" || len(a.Jobs) != 1 || a.Jobs[0].ID == id {
		t.Errorf("bad again: %+v", a)
	}
	if members, err := y.queue.Members(t.Context(), id[:8]); err != nil || len(members) != 2 {
		t.Errorf("the sweep has %d jobs, %v", len(members), err)
	}
}
