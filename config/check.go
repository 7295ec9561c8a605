package config

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"jobrunner/jobs"
)

// Problem is something on this machine that keeps a sound configuration from
// working.
type Problem struct {
	Fault *jobs.Fault
	Fatal bool // the daemon cannot run; otherwise only jobs of one type fail
}

// Check holds the configuration against this machine: are the programs, the
// folders and the scripts there, and is the state folder on a local file
// system. It makes and changes nothing.
func (c *Config) Check() []Problem {
	var problems []Problem
	add := func(fatal bool, key, message, hint string) {
		if message != "" {
			problems = append(problems, Problem{Fault: c.fault(key, message, hint), Fatal: fatal})
		}
	}
	for _, fault := range c.folderFaults() {
		problems = append(problems, Problem{Fault: fault, Fatal: true})
	}
	add(true, "inbox", usable(c.Inbox), "")
	add(true, "outbox", usable(c.Outbox), "")
	add(true, "queue_file", usable(filepath.Dir(c.QueueFile)), "")
	if info, err := os.Stat(c.QueueFile); err == nil && !info.Mode().IsRegular() {
		add(true, "queue_file", c.QueueFile+" is no regular file", "")
	}
	add(true, "state_dir", usable(c.StateDir), "")
	switch local, kind, err := LocalFileSystem(c.StateDir); {
	case err != nil:
		add(true, "state_dir", err.Error(), "")
	case !local:
		add(true, "state_dir", fmt.Sprintf("%s is on %s, which is no local file system", c.StateDir, kind),
			"the database is safe only on a local disk: set state_dir to a folder on one")
	}
	problems = append(problems, c.checkStatus()...)
	for _, fault := range c.TypeFaults {
		problems = append(problems, Problem{Fault: fault})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Catalog.Types)) {
		problems = append(problems, c.checkType(name, c.Catalog.Types[name])...)
	}
	problems = append(problems, c.checkHooks("on_finish", c.Catalog.OnFinish)...)
	return append(problems, c.checkSchedules()...)
}

// checkType looks at what the jobs of one type need.
func (c *Config) checkType(name string, t *jobs.Type) []Problem {
	key := "types." + name
	var problems []Problem
	add := func(at, message string) {
		if message != "" {
			problems = append(problems, Problem{Fault: c.fault(key+"."+at, message, "")})
		}
	}
	if len(t.Command) > 0 {
		add("command", c.program(t.Command[0], t.Workdir))
	} else {
		add("interpreter", c.program(t.Interpreter[0], t.Workdir))
		add("scripts", readable(t.Scripts))
	}
	if t.Workdir != c.Dir {
		add("workdir", readable(t.Workdir))
	}
	if t.RunAs != "" {
		c.checkAccount(t, add)
	}
	for _, p := range t.Params {
		if p.Kind != jobs.ParamPath {
			continue
		}
		at := "args.params." + p.Name
		wrong := readable(p.Below)
		add(at+".below", wrong)
		if _, err := p.Check(p.Default); p.HasDefault && wrong == "" && err != nil {
			add(at+".default", err.Error())
		}
	}
	return append(problems, c.checkHooks(key+".on_finish", t.OnFinish)...)
}

// checkHooks looks at the programs and the files of secrets of hooks.
func (c *Config) checkHooks(key string, hooks []jobs.Hook) []Problem {
	var problems []Problem
	for _, h := range hooks {
		message, hint := "", ""
		switch {
		case len(h.Command) > 0:
			message = c.program(h.Command[0], c.Dir)
		case h.SecretFile != "":
			message, hint = secretFile(&h)
		}
		if message != "" {
			problems = append(problems, Problem{Fault: h.At.Fault(c.shortKey(key, h.At)+": "+message, hint)})
		}
	}
	return problems
}

// secretFile says why the file of a hook's secret is of no use, or no secret.
func secretFile(h *jobs.Hook) (message, hint string) {
	if _, err := h.Key(); err != nil {
		return err.Error(), ""
	}
	if info, err := os.Stat(h.SecretFile); err == nil && othersMayRead(info) {
		return h.SecretFile + " can be read by everybody on this machine", "chmod o= it"
	}
	return "", ""
}

// checkSchedules holds what schedules ask for against the types.
func (c *Config) checkSchedules() []Problem {
	var problems []Problem
	for _, s := range c.Catalog.Schedules {
		_, bad := c.Catalog.Entries([]jobs.Item{{Request: s.Request}}, func(int) string { return someID })
		for _, item := range bad {
			f := *item.Fault
			f.Message = "schedules." + s.Name + ".request: " + f.Message
			problems = append(problems, Problem{Fault: &f})
		}
	}
	return problems
}

// someID stands for that of a job that is never made.
const someID = "00000000-0000-4000-8000-000000000000"

// program looks a program up as it is when a job starts: a bare name in the
// PATH of this process, anything else from workdir, and if it is not there from
// the configuration's folder. It gives what is wrong, "" if nothing is.
func (c *Config) program(name, workdir string) string {
	if filepath.Base(name) == name {
		if _, err := exec.LookPath(name); err != nil {
			return name + " not found in PATH"
		}
		return ""
	}
	path := below(workdir, name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		path = below(c.Dir, name)
	}
	_, err := exec.LookPath(path)
	switch info, statErr := os.Stat(path); {
	case err == nil:
		return ""
	case statErr != nil:
		return path + ": " + reason(statErr)
	case info.IsDir():
		return path + " is a folder"
	default:
		return path + " is not executable"
	}
}

// readable says why the files in a folder cannot be reached, "" if they can be.
func readable(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return path + ": " + reason(err)
	case !info.IsDir():
		return path + " is no folder"
	}
	if _, err := os.ReadDir(path); err != nil {
		return path + ": " + reason(err)
	}
	return ""
}

// usable says why a folder can neither be written to nor made, "" if it can.
func usable(path string) string {
	at := nearest(path)
	info, err := os.Stat(at)
	switch {
	case err != nil:
		return path + ": " + reason(err)
	case !info.IsDir() && at == path:
		return path + " is no folder"
	case !info.IsDir():
		return path + " cannot be made: " + at + " is no folder"
	}
	if link, err := os.Lstat(path); at != path && err == nil && link.Mode()&fs.ModeSymlink != 0 {
		return path + " is a link to a place that is not there"
	}
	err = writable(at)
	switch {
	case err == nil:
		return ""
	case at == path:
		return path + " cannot be written to: " + reason(err)
	}
	return path + " cannot be made in " + at + ": " + reason(err)
}
