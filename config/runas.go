package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"jobrunner/jobs"
)

const runAsHint = "for example ada, or ada:staff"

// accountName leaves out what no system allows in the name of a user or group.
var accountName = regexp.MustCompile(`^[^\s:/,\x00-\x20-][^\s:/,\x00-\x20]*$`)

func (d *decoder) runAs(dst *string) func(value) {
	return func(v value) {
		word, ok := d.text(v, "text", runAsHint)
		if !ok {
			return
		}
		name, group, grouped := strings.Cut(word, ":")
		if !accountName.MatchString(name) || grouped && !accountName.MatchString(group) {
			d.fault(v, show(word)+" is neither a user nor user:group", runAsHint)
			return
		}
		if message, hint := noOtherUser(); d.serving && message != "" {
			d.fault(v, message, hint)
			return
		}
		*dst = word
	}
}

// handedOver refuses what a job that runs as another user could not read.
func (d *decoder) handedOver(v value, t *jobs.Type) {
	if t.RunAs != "" && t.OnChange == jobs.OnChangeCopy {
		d.faultUnder(v, "run_as", "does not go with on_change: copy, since the copy lies in the state folder, which only the daemon may read",
			"on_change: reject runs nothing but the script that was accepted, too")
	}
}

// checkAccount looks whether the user that jobs of a type run as is there, and may
// use what they need. What is not there at all is said elsewhere.
func (c *Config) checkAccount(t *jobs.Type, add func(at, message string)) {
	a, err := jobs.FindAccount(t.RunAs)
	if err != nil {
		add("run_as", err.Error())
		return
	}
	may := func(at, path string, use uint32, deed string) {
		if _, err := os.Stat(path); err == nil && a.May(path, use) != nil {
			add(at, fmt.Sprintf("user %s may not %s %s", show(a.Name), deed, path))
		}
	}
	may("workdir", t.Workdir, jobs.ToExecute, "enter")
	if len(t.Command) > 0 {
		c.checkProgramOf(a, t.Command[0], t.Workdir, "command", add)
		return
	}
	c.checkProgramOf(a, t.Interpreter[0], t.Workdir, "interpreter", add)
	may("scripts", t.Scripts, jobs.ToExecute, "enter")
}

// checkProgramOf looks whether a user may execute a program, which is looked up
// as in program.
func (c *Config) checkProgramOf(a *jobs.Account, name, workdir, at string, add func(at, message string)) {
	if c.program(name, workdir) != "" {
		return
	}
	paths := []string{below(workdir, name), below(c.Dir, name)}
	if filepath.Base(name) == name {
		paths = nil
		for _, folder := range filepath.SplitList(os.Getenv("PATH")) {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() && a.May(path, jobs.ToExecute) == nil {
			return
		}
	}
	add(at, fmt.Sprintf("user %s may not execute %s", show(a.Name), name))
}
