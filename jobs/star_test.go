package jobs_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Imports form a star: jobs imports none of ours, only the command imports
// more than jobs. It is asked for every system, because files that only one of
// them builds have imports too.
func TestImportsFormAStar(t *testing.T) {
	const module = "jobrunner"
	for _, system := range []string{"linux", "darwin", "windows"} {
		t.Run(system, func(t *testing.T) {
			imports := importsOfOurs(t, module, system)
			for _, name := range []string{"jobs", "config", "watcher", "runner", "schedule", "hooks", "retention", "progress", "meter", "metrics", "access", "ui", "cmd/jobrunner"} {
				if _, ok := imports[module+"/"+name]; !ok {
					t.Errorf("go list does not know the package %s/%s", module, name)
				}
			}
			for importer, ours := range imports {
				allowed := []string{module + "/jobs"}
				switch importer {
				case module + "/cmd/jobrunner":
					continue
				case module + "/jobs":
					allowed = nil
				}
				for _, path := range ours {
					if !slices.Contains(allowed, path) {
						t.Errorf("%s imports %s, allowed of ours: %q", importer, path, allowed)
					}
				}
			}
		})
	}
}

// importsOfOurs maps each package of the module to those of its imports that
// belong to the module too, tests not counted.
func importsOfOurs(t *testing.T, module, system string) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	imports := make(map[string][]string)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		err := dec.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			return imports
		}
		if err != nil {
			t.Fatalf("reading what go list printed: %v", err)
		}
		ours := []string{}
		for _, path := range pkg.Imports {
			if strings.HasPrefix(path, module+"/") {
				ours = append(ours, path)
			}
		}
		imports[pkg.ImportPath] = ours
	}
}
