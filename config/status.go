package config

import (
	"fmt"
	"os"
	"path/filepath"
)

// status reads into which files the page is written.
func (d *decoder) status(dst *StatusFiles) func(value) {
	return func(v value) {
		d.fields(v, fields{"html": d.filePath(&dst.HTML), "json": d.filePath(&dst.JSON)})
	}
}

// statusFaults says where a status file would be in the way: it is replaced again and
// again, whatever lies there.
func (c *Config) statusFaults() Faults {
	var faults Faults
	for key, path := range map[string]string{"status.html": c.Status.HTML, "status.json": c.Status.JSON} {
		if path == "" {
			continue
		}
		if message := c.statusFault(path); message != "" {
			faults = append(faults, c.fault(key, message, "give it a file of its own, elsewhere"))
		}
	}
	if c.Status.HTML != "" && c.Status.JSON != "" && within(c.Status.HTML, c.Status.JSON) == same {
		faults = append(faults, c.fault("status.json", "is the same file as status.html", "give each a file of its own"))
	}
	return faults
}

func (c *Config) statusFault(path string) string {
	for _, f := range []struct{ key, path string }{
		{"inbox", c.Inbox}, {"outbox", c.Outbox}, {"state_dir", c.StateDir}, {"types_dir", c.TypesDir},
	} {
		switch within(path, f.path) {
		case same, inside:
			return fmt.Sprintf("lies in %s (%s)", f.key, f.path)
		case around:
			return fmt.Sprintf("is a folder, with %s (%s) in it", f.key, f.path)
		}
	}
	for _, f := range []struct{ what, path string }{
		{"queue_file", c.QueueFile}, {"the file of states beside queue_file", statesBeside(c.QueueFile)},
		{filepath.Base(c.Path) + " itself", c.Path},
		{"password_file", c.PasswordFile}, {"tls.cert", c.TLS.Cert}, {"tls.key", c.TLS.Key},
	} {
		if f.path != "" && within(path, f.path) == same {
			return "is " + f.what
		}
	}
	return ""
}

// statesBeside is the file that has the states where the queue file cannot be
// written: job_queue.status.txt for job_queue.txt.
func statesBeside(queueFile string) string {
	ext := filepath.Ext(queueFile)
	return queueFile[:len(queueFile)-len(ext)] + ".status" + ext
}

// checkStatus looks whether the folders of status files are there.
func (c *Config) checkStatus() []Problem {
	var problems []Problem
	for _, f := range []struct{ key, path string }{{"status.html", c.Status.HTML}, {"status.json", c.Status.JSON}} {
		if f.path == "" {
			continue
		}
		message := ""
		if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
			message = f.path + " is no regular file"
		} else if dir := filepath.Dir(f.path); !isFolderThere(dir) {
			message = "there is no folder " + dir
		} else if err := writable(dir); err != nil {
			message = dir + " cannot be written to: " + reason(err)
		}
		if message != "" {
			problems = append(problems, Problem{Fault: c.fault(f.key, message, "")})
		}
	}
	return problems
}

func isFolderThere(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
