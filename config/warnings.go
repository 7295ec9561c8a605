package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jobrunner/jobs"
)

// Warnings says what works and gives others more than they should have: who can
// write what this process runs can do anything as its user.
func (c *Config) Warnings() []*jobs.Fault {
	var faults []*jobs.Fault
	if names := c.rootTypes(); len(names) > 0 {
		faults = append(faults, c.fault("types", "running as root: jobs of "+strings.Join(names, ", ")+" run as root too",
			"set run_as, or start the daemon as a user of its own"))
	}
	warn := func(key, path, allowed string) {
		if words := openToAll(path); words != "" {
			faults = append(faults, c.fault(key, words, "chmod o-w it: "+allowed))
		}
	}
	const anything = "whoever writes there can run anything as the daemon's user"
	if words := openToAll(c.Path); words != "" {
		faults = append(faults, jobs.Position{File: filepath.Base(c.Path)}.Fault(words, "chmod o-w it: "+anything))
	}
	if words := openToAll(c.Dir); words != "" && !sticky(c.Dir) {
		faults = append(faults, jobs.Position{File: filepath.Base(c.Path)}.Fault(words+", so this file can be replaced", "chmod o-w it: "+anything))
	}
	warn("types_dir", c.TypesDir, anything)
	warn("state_dir", c.StateDir, "whoever writes there can change what is known of jobs; serve does it too")
	for _, name := range slices.Sorted(maps.Keys(c.Catalog.Types)) {
		if t := c.Catalog.Types[name]; t.Scripts != "" {
			warn("types."+name+".scripts", t.Scripts, "whoever writes there can run anything as the user of the type's jobs")
		}
	}
	return append(faults, c.accessWarnings()...)
}

// rootTypes names the types whose jobs run as root.
func (c *Config) rootTypes() []string {
	if message, _ := noOtherUser(); message != "" {
		return nil
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.Catalog.Types)) {
		if c.Catalog.Types[name].RunAs == "" {
			names = append(names, name)
		}
	}
	const most = 5
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("%d more", more))
	}
	return names
}

// openToAll says that every user may write a file, or put others into a folder;
// "" if not.
func openToAll(path string) string {
	info, err := os.Stat(path)
	if err != nil || !othersMayWrite(info) {
		return ""
	}
	return path + " can be written to by everybody on this machine"
}

// sticky reports whether in a folder nobody can replace what is another's, as in
// /tmp.
func sticky(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.Mode()&os.ModeSticky != 0
}
