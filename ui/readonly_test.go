package ui_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writing is what package os has that changes something. Some of it is in other
// packages too; those are not imported.
var writing = []string{"Chmod", "Chown", "Chtimes", "CopyFS", "Create", "CreateTemp", "Lchown", "Link", "Mkdir", "MkdirAll", "MkdirTemp",
	"NewFile", "OpenFile", "Pipe", "Remove", "RemoveAll", "Rename", "Setenv", "StartProcess", "Symlink", "Truncate", "Unsetenv", "WriteFile", "Exit"}

// The page has no means of changing anything: it starts no program, and of ours
// it knows the queue alone, of which it is given a reader. Files it only opens for
// reading. The one thing that it removes is a dead socket in the place of the one
// that it is to listen on.
func TestPageHasNoMeansToWrite(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	files, removed := token.NewFileSet(), 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if path == "os/exec" || path == "syscall" || path == "unsafe" || path == "plugin" ||
				strings.HasPrefix(path, "jobrunner/") && path != "jobrunner/jobs" {
				t.Errorf("%s imports %s", name, path)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := call.X.(*ast.Ident)
			switch {
			case !ok:
			case of.Name == "os" && call.Sel.Name == "Remove" && name == "serve.go":
				removed++
			case of.Name == "os" && slices.Contains(writing, call.Sel.Name):
				t.Errorf("%s: os.%s", files.Position(n.Pos()), call.Sel.Name)
			case of.Name == "unix" && call.Sel.Name != "Getrlimit" && call.Sel.Name != "Rlimit" && call.Sel.Name != "RLIMIT_NOFILE":
				t.Errorf("%s: unix.%s", files.Position(n.Pos()), call.Sel.Name)
			}
			return true
		})
	}
	if removed != 2 {
		t.Errorf("os.Remove is called in %d places, want the two for a dead socket and the own one", removed)
	}
}
