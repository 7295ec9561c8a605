//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"jobrunner/jobs"
)

// badLines says what is wrong with the lines of the queue file.
func (o *oracle) badLines(all []*jobs.Job) (found []string) {
	byID := map[string]*jobs.Job{}
	for _, j := range all {
		byID[j.ID] = j
	}
	seen := map[string]bool{}
	for _, line := range o.lines(o.view) {
		words := strings.Fields(line)
		if len(words) > 0 && strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) < 4 {
			found = append(found, fmt.Sprintf("%s has a line of %d words: %q", o.view, len(words), line))
			continue
		}
		id, state := strings.ToLower(words[0]), words[len(words)-1]
		j := byID[id]
		switch {
		case j == nil:
			found = append(found, fmt.Sprintf("%s has a line of no job: %q", o.view, line))
		case seen[id]:
			found = append(found, fmt.Sprintf("%s has a second line of job %q: %q", o.view, j.Args, line))
		case state != string(j.State):
			found = append(found, fmt.Sprintf("%s says that job %q is %s, it is %s", o.view, j.Args, state, j.State))
		}
		seen[id] = true
	}
	for _, j := range all {
		if j.LineAt >= 0 && !seen[j.ID] {
			found = append(found, fmt.Sprintf("%s has no line of job %s %q", o.view, j.ID, j.Args))
		}
	}
	return found
}

// hasLine says if no line with that word shows a job in that state.
func (o *oracle) hasLine(tag string, state jobs.State) error {
	for _, line := range o.lines(o.view) {
		words := strings.Fields(line)
		if len(words) > 3 && words[2] == tag && words[len(words)-1] == string(state) {
			return nil
		}
	}
	return fmt.Errorf("%s is not %s in %s", tag, state, o.view)
}

// rewriteWithout writes the queue file anew without the lines of a tag.
func (o *oracle) rewriteWithout(tag string) {
	o.Helper()
	f, err := os.OpenFile(o.path("job_queue.txt"), os.O_RDWR, 0)
	if err != nil {
		o.Fatal(err)
	}
	defer f.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(f)
	if err == nil {
		err = f.Truncate(0)
	}
	var kept []string
	for line := range strings.Lines(text.String()) {
		if !slices.Contains(strings.Fields(line), tag) {
			kept = append(kept, line)
		}
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strings.Join(kept, "")), 0)
	}
	if err != nil {
		o.Fatal(err)
	}
}
