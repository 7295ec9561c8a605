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
	for _, name := range slices.Sorted(maps.Keys(c.Catalog.Types)) {
		t, key := c.Catalog.Types[name], "types."+name
		if len(t.Command) > 0 {
			add(false, key+".command", c.program(t.Command[0]), "")
		} else {
			add(false, key+".interpreter", c.program(t.Interpreter[0]), "")
			add(false, key+".scripts", readable(t.Scripts), "")
		}
		if t.Workdir != c.Dir {
			add(false, key+".workdir", readable(t.Workdir), "")
		}
	}
	return problems
}

// program looks a program up as it is when a job starts: a bare name in the
// PATH of this process, anything else from the configuration's folder. It
// gives what is wrong, "" if nothing is.
func (c *Config) program(name string) string {
	if filepath.Base(name) == name {
		if _, err := exec.LookPath(name); err != nil {
			return name + " not found in PATH"
		}
		return ""
	}
	path := below(c.Dir, name)
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
