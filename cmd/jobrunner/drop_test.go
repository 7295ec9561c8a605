package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf8"

	"jobrunner/jobs"
)

// What is given on the command line arrives in the request to the letter.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{
		"", "25", "0.10", "yes", "null", "~", "a: b", "- x", "#", "\"", "'", "\\", "%d", "\t", "\n", " \n ", "\r\n", "\x1b[31m",
		"\x7f", "\u0085", "\u00a0", "\u2028", "\ufeff", "\ufffd", "\U0001f600", "ünï", "*a", "&a", "!x", "[", "{", "|", ">", "---", "...",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, arg, label string) {
		if !utf8.ValidString(arg) || !utf8.ValidString(label) || slices.Contains([]byte(arg+label), 0) {
			t.Skip("cannot be given on a command line, or is refused there")
		}
		var d document
		d.text("script", "x"+arg)
		d.list("args", []string{arg, label, "{k}"})
		d.number("priority", 5)
		d.table("labels", [][2]string{{"k", label}})
		d.lists("foreach", []jobs.Axis{{Name: "k", Values: []string{arg, "{k}", label}}})
		d.truth("hold")
		items := jobs.ParseYAML([]byte(d.String()), "add.yaml")
		if len(items) != 1 || items[0].Request == nil {
			t.Fatalf("%s\nis %d items, the first with %v", d.String(), len(items), items[0].Fault)
		}
		r := items[0].Request
		if want := []string{arg, label, "{k}"}; !slices.Equal(r.Args, want) {
			t.Errorf("args are %q, want %q", r.Args, want)
		}
		if want := []string{arg, "{k}", label}; len(r.Foreach) != 1 || !slices.Equal(r.Foreach[0].Values, want) || !r.Hold {
			t.Errorf("foreach is %q, hold %t; want %q", r.Foreach, r.Hold, want)
		}
		if r.Script != "x"+arg || r.Labels["k"] != label || r.Priority != 5 {
			t.Errorf("script %q, label %q, priority %d; want %q, %q, 5", r.Script, r.Labels["k"], r.Priority, "x"+arg, label)
		}
	})
}

func TestRefusalWithoutPlace(t *testing.T) {
	for _, c := range []struct{ reason, want string }{
		{`add-1.yaml:3:9: unknown type "x"; did you mean "y"?`, `unknown type "x"; did you mean "y"?`},
		{"add-1.yaml:3: a: b", "a: b"},
		{"add-1.yaml: too long", "too long"},
		{"3f2a91c0 is already COMPLETED", "3f2a91c0 is already COMPLETED"},
		{"other.yaml:3:9: x", "other.yaml:3:9: x"},
	} {
		a := &answer{Reason: c.reason}
		if got := a.refusal("add-1.yaml").Error(); got != c.want {
			t.Errorf("%q: got %q, want %q", c.reason, got, c.want)
		}
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	if pid, held, err := lockHolder(dir); pid != 0 || held || err != nil {
		t.Errorf("without a lock: got pid %d, held %t, %v", pid, held, err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if pid, held, err := lockHolder(dir); pid != os.Getpid() || !held || err != nil {
		t.Errorf("held: got pid %d, held %t, %v; want pid %d", pid, held, err, os.Getpid())
	}
	if second, err := takeLock(dir); err == nil {
		second.Close()
		t.Error("it can be taken twice")
	}
	// Somebody removes the folder's content: this daemon is not the only one
	// any more.
	watched := make(chan error, 1)
	go func() { watched <- lock.watch(t.Context()) }()
	if err := os.Remove(filepath.Join(dir, lockName)); err != nil {
		t.Fatal(err)
	}
	if err := <-watched; err == nil {
		t.Error("a removed lock was not noticed")
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	if _, held, err := lockHolder(dir); held || err != nil {
		t.Errorf("after its end: held %t, %v", held, err)
	}
}
