package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// The journal is what a supervisor leaves when it is killed: a line a record,
// appended before (starting) and after (started, ending, ended) each step of
// an attempt, so that it is known of every attempt whether it may have run.
// A record of one instance that is missing proves that the step was not
// taken, as long as the machine was not restarted; ends are on disk within
// moments too. Each line begins with a checksum. One torn by a crash is the last
// and is dropped; where another one cannot be read, nothing follows any more from
// a record that is missing.
const journalFile = "supervisor.journal"

// Kinds of a record.
const (
	recordInstance = "instance" // a supervisor has started
	recordStarting = "starting" // an attempt is about to be started
	recordState    = "state"    // it has started, is being ended, or has ended
	recordAcked    = "acked"    // its end is committed elsewhere
)

// record is one line of the journal.
type record struct {
	Kind     string        `json:"k"`
	Instance string        `json:"i"`
	Boot     string        `json:"boot,omitempty"` // instance
	At       time.Time     `json:"at,omitzero"`    // instance
	ID       string        `json:"id,omitempty"`   // starting, acked
	Attempt  int           `json:"n,omitempty"`    // starting, acked
	State    *attemptState `json:"s,omitempty"`    // state
}

// key names an attempt among all supervisors of a state folder.
type key struct {
	Instance string
	ID       string
	Attempt  int
}

// journalEntry is what a supervisor wrote down of an attempt that nobody has
// acknowledged.
type journalEntry struct {
	Boot  string       // boot in which its supervisor ran
	State attemptState // without a Process and not Ended: it was about to be started, and may have been
}

// journalContent is what the records of a journal come to. If an instance is in
// it, ran in this boot and is gone, an attempt that has no entry was never
// started by it, or was acknowledged.
type journalContent struct {
	instances []record // in the order of their start
	entries   map[key]journalEntry
	size      int64 // of the file, without a torn line at its end
}

// loadJournal reads the journal; an empty content if there is none.
func loadJournal(stateDir string) (*journalContent, error) {
	data, err := os.ReadFile(filepath.Join(stateDir, journalFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the supervisor's journal: %w", err)
	}
	c := &journalContent{entries: make(map[key]journalEntry), size: int64(bytes.LastIndexByte(data, '\n') + 1)}
	for line := range bytes.Lines(data) {
		if r, ok := parseRecord(line); ok {
			c.apply(r)
		} else if line[len(line)-1] == '\n' {
			c.instances = nil // it may have been of any of them
		}
	}
	return c, nil
}

func (c *journalContent) apply(r record) {
	switch r.Kind {
	case recordInstance:
		c.instances = append(c.instances, r)
	case recordStarting:
		k := key{r.Instance, r.ID, r.Attempt}
		c.entries[k] = journalEntry{Boot: c.boot(r.Instance), State: attemptState{ID: r.ID, Attempt: r.Attempt}}
	case recordState:
		if r.State != nil {
			k := key{r.Instance, r.State.ID, r.State.Attempt}
			c.entries[k] = journalEntry{Boot: c.boot(r.Instance), State: *r.State}
		}
	case recordAcked:
		delete(c.entries, key{r.Instance, r.ID, r.Attempt})
	}
}

func (c *journalContent) boot(instance string) string {
	for i := len(c.instances) - 1; i >= 0; i-- {
		if c.instances[i].Instance == instance {
			return c.instances[i].Boot
		}
	}
	return ""
}

// keepInstances is how many supervisors of the past are remembered.
const keepInstances = 256

// forget drops the oldest supervisors beyond keepInstances of which nothing is
// left.
func (c *journalContent) forget() {
	used := make(map[string]bool, len(c.entries))
	for k := range c.entries {
		used[k.Instance] = true
	}
	kept := c.instances[:0]
	for i, in := range c.instances {
		if len(c.instances)-i <= keepInstances || used[in.Instance] {
			kept = append(kept, in)
		}
	}
	c.instances = kept
}

// lines gives the records that come to this content.
func (c *journalContent) lines() ([]byte, error) {
	var out []byte
	var err error
	for _, in := range c.instances {
		if out, err = appendRecord(out, in); err != nil {
			return nil, err
		}
	}
	for k, e := range c.entries {
		r := record{Kind: recordState, Instance: k.Instance, State: &e.State}
		if e.State.Process.PID == 0 && !e.State.Ended {
			r = record{Kind: recordStarting, Instance: k.Instance, ID: k.ID, Attempt: k.Attempt}
		}
		if out, err = appendRecord(out, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 9 // eight hexadecimal digits and a space

func appendRecord(out []byte, r record) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return out, err
	}
	out = fmt.Appendf(out, "%08x ", crc32.Checksum(text, castagnoli))
	return append(append(out, text...), '\n'), nil
}

// parseRecord reads a line of the journal; false if it is torn.
func parseRecord(line []byte) (record, bool) {
	if len(line) < sumSize+1 || line[len(line)-1] != '\n' {
		return record{}, false
	}
	text := line[sumSize : len(line)-1]
	sum, err := strconv.ParseUint(string(line[:sumSize-1]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(text, castagnoli) {
		return record{}, false
	}
	var r record
	return r, json.Unmarshal(text, &r) == nil
}
