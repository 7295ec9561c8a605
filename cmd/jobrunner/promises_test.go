//go:build unix

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/promises.md names as a proof is there.
func TestPromisesNameTests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	there := testsInSource(t)
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		if !there[m[1]] {
			t.Errorf("there is no %s", m[1])
		}
	}
	files := regexp.MustCompile(`[a-z]+\.txtar|(?:cmd/)?[a-z]+/[a-z_]+_test\.go`).FindAllString(string(page), -1)
	for _, name := range files {
		path := filepath.Join("../..", name)
		if strings.HasSuffix(name, ".txtar") {
			path = filepath.Join("testdata", name)
		}
		if err := exists(path); err != nil {
			t.Error(err)
		}
	}
}

// testsInSource gives the names of all tests and fuzz targets.
func testsInSource(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	head := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z]+)\(`)
	err := filepath.WalkDir("../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range head.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
