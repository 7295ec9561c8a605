package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"jobrunner/jobs"
)

// folderFaults says which of the folders are the same or lie in each other,
// and whether a file lies where requests and replies go: each has its own
// rules for what may be moved, replaced and removed in it.
func (c *Config) folderFaults() Faults {
	type place struct{ key, path string }
	inbox, outbox := place{"inbox", c.Inbox}, place{"outbox", c.Outbox}
	queue, state := place{"queue_file", c.QueueFile}, place{"state_dir", c.StateDir}
	types := place{"types_dir", c.TypesDir}
	var faults Faults
	for _, p := range [][2]place{
		{inbox, outbox}, {inbox, state}, {outbox, state},
		{queue, inbox}, {queue, outbox}, {queue, state},
		{types, inbox}, {types, outbox}, {types, state},
	} {
		a, b := p[0], p[1]
		switch within(a.path, b.path) {
		case apart:
			continue
		case same:
			faults = append(faults, c.pairFault(a.key, b.key, fmt.Sprintf("is the same path as %s (%s)", b.key, b.path)))
		case inside:
			faults = append(faults, c.pairFault(a.key, b.key, fmt.Sprintf("lies in %s (%s)", b.key, b.path)))
		case around:
			faults = append(faults, c.pairFault(a.key, b.key, fmt.Sprintf("%s (%s) lies in it", b.key, b.path)))
		}
	}
	name := filepath.Base(c.Path)
	for _, p := range []place{inbox, outbox} {
		if relation := within(c.Path, p.path); relation != apart {
			faults = append(faults, c.fault(p.key, name+" lies in it and would be taken for a request", "give it a folder of its own"))
		}
	}
	if within(c.TypesDir, c.Dir) == same {
		faults = append(faults, c.fault("types_dir", "is the folder of "+name+", which would be taken for a type", "give it a folder of its own"))
	}
	if within(c.QueueFile, c.Path) == same {
		faults = append(faults, c.fault("queue_file", "is "+name+" itself", "give it a file of its own"))
	}
	return faults
}

// pairFault stands at the first of the two keys that the file has.
func (c *Config) pairFault(key, other, message string) *jobs.Fault {
	hint := "give each a folder of its own"
	if key == "queue_file" {
		hint = "put it outside"
	}
	if _, ok := c.at[key]; !ok {
		if at, ok := c.at[other]; ok {
			return at.Fault(key+": "+message, hint)
		}
	}
	return c.fault(key, message, hint)
}

// relation is how one path lies to another.
type relation int

const (
	apart relation = iota
	same
	inside // the first lies in the second
	around // the second lies in the first
)

// within compares two paths as they are written and with all links resolved,
// and asks the system whether folders that are there are the same one under
// two names (a bind mount, another case).
func within(a, b string) relation {
	realA, realB := resolve(a), resolve(b)
	up, down := lies(a, b) || lies(realA, realB), lies(b, a) || lies(realB, realA)
	switch {
	case up && down:
		return same
	case up:
		return inside
	case down:
		return around
	}
	return apart
}

// lies reports whether inner is outer or below it.
func lies(inner, outer string) bool {
	outerInfo, err := os.Stat(outer)
	known := err == nil
	for {
		if foldPath(inner) == foldPath(outer) {
			return true
		}
		if info, err := os.Stat(inner); known && err == nil && os.SameFile(info, outerInfo) {
			return true
		}
		parent := filepath.Dir(inner)
		if parent == inner {
			return false
		}
		inner = parent
	}
}

// resolve resolves the links of the part of path that is there.
func resolve(path string) string {
	existing := nearest(path)
	real, err := filepath.EvalSymlinks(existing)
	if err != nil {
		return path
	}
	return filepath.Join(real, strings.TrimPrefix(path, existing))
}

// nearest gives path or the nearest folder above it that is there.
func nearest(path string) string {
	for {
		_, err := os.Stat(path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return path
		}
		parent := filepath.Dir(path)
		if parent == path {
			return path
		}
		path = parent
	}
}
