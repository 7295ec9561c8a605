package progress_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// What docs/progress.md shows as an example is recognised as it stands there.
func TestDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/progress.md")
	if err != nil {
		t.Fatal(err)
	}
	_, said, _ := strings.Cut(string(data), "\n## Saying it")
	said, _, _ = strings.Cut(said, "\n## ")
	_, tools, _ := strings.Cut(string(data), "\n## What is recognised")
	tools, _, _ = strings.Cut(tools, "\n## ")
	examples := append(code(said, `(?m)^\| `+"`([^`]*)`"), code(said, "`(@progress [^`]*)`")...)
	if len(examples) < 6 {
		t.Errorf("only %q under Saying it", examples)
	}
	for _, line := range examples {
		see(t, line, jobs.ProgressSaid)
	}
	examples = code(tools, "(?m)^\\|[^|`]*(?:`[^`]*`[^|`]*)*\\| `([^`]*)`")
	if len(examples) < 20 {
		t.Errorf("only %q under What is recognised", examples)
	}
	for _, line := range examples {
		see(t, line, "")
	}
}

// code gives the first group of each match, as a reader sees it.
func code(text, expression string) []string {
	var all []string
	for _, m := range regexp.MustCompile(expression).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(m[1], `\|`, "|"))
	}
	return all
}

// see checks that something is found of a line; where it must have grown, the
// line comes after one with 12 in place of 42.
func see(t *testing.T, line, source string) {
	t.Helper()
	d := progress.New(jobs.ProgressRule{}, start)
	d.Write([]byte("  Duration: 00:00:10.00, start: 0\n"), start)
	d.Write([]byte(strings.ReplaceAll(line, "42", "12")+"\r\n"), start)
	d.Write([]byte(strings.ReplaceAll(line, "98304000", "398304000")+"\r\n"), after(time.Second))
	p := d.Progress(after(time.Second))
	if p == nil || source != "" && p.Source != source {
		t.Errorf("%q: got %s", line, show(p))
	}
}
