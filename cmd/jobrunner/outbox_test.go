//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"jobrunner/jobs"
)

// badFiles says what is wrong with the files in inbox and outbox: what was not
// taken, what was not answered, and replies that are not true.
func (o *oracle) badFiles(all []*jobs.Job) (found []string) {
	byID := map[string]*jobs.Job{}
	for _, j := range all {
		byID[j.ID] = j
	}
	for _, pattern := range []string{"inbox/*", "inbox/.claimed/*/*"} {
		left, _ := filepath.Glob(o.path(pattern)) // the pattern is good
		for _, path := range left {
			if !strings.HasPrefix(filepath.Base(path), ".") {
				found = append(found, "still in the inbox: "+path)
			}
		}
	}
	names := map[string]bool{}
	entries, _ := os.ReadDir(o.path("outbox")) // there may be none
	for _, e := range entries {
		names[e.Name()] = !strings.HasPrefix(e.Name(), ".")
	}
	for name, plain := range names {
		request, isReply := strings.CutSuffix(name, ".json")
		switch {
		case !plain, names[name+".json"]:
		case !isReply || !names[request]:
			found = append(found, fmt.Sprintf("outbox has %s without its counterpart", name))
		default:
			found = append(found, o.badReply(request, byID)...)
		}
	}
	return found
}

// badReply says what a reply tells that is not so.
func (o *oracle) badReply(request string, byID map[string]*jobs.Job) (found []string) {
	fault := func(format string, args ...any) {
		found = append(found, fmt.Sprintf("outbox/%s.json ", request)+fmt.Sprintf(format, args...))
	}
	var reply struct {
		File  string
		State jobs.State
		Jobs  []struct {
			ID       string
			State    jobs.State
			ExitCode *int `json:"exit_code"`
		}
	}
	if text, err := os.ReadFile(o.path("outbox/" + request + ".json")); err != nil {
		fault("cannot be read: %v", err)
		return found
	} else if err := json.Unmarshal(text, &reply); err != nil {
		fault("is no JSON: %v: %q", err, text)
		return found
	}
	if reply.File != request {
		fault("is the reply to %q", reply.File)
	}
	if text, _ := os.ReadFile(o.path("outbox/" + request)); strings.Contains(string(text), "action") {
		return found // a command, whose jobs may have changed since
	}
	var of []*jobs.Job
	for _, told := range reply.Jobs {
		j := byID[told.ID]
		if j == nil {
			fault("tells of job %s, which is not known", told.ID)
			continue
		}
		of = append(of, j)
		if told.State != j.State || fmt.Sprint(value(told.ExitCode)) != fmt.Sprint(value(j.ExitCode)) {
			fault("says that job %s is %s with exit code %v, it is %s with %v", j.ID, told.State, value(told.ExitCode), j.State, value(j.ExitCode))
		}
	}
	want, _ := jobs.Summarise(of)
	if len(of) == 1 {
		want = of[0].State
	}
	if len(of) > 0 && reply.State != want {
		fault("says %s, want %s", reply.State, want)
	}
	return found
}

// value is an exit code in words.
func value(code *int) string {
	if code == nil {
		return "none"
	}
	return fmt.Sprint(*code)
}
