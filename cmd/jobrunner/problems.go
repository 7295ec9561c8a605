package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

const (
	problemsName = "problems.json" // in the state folder
	// problemsSize is how long the file always is: it is written over in place,
	// which needs no room on a full disk.
	problemsSize = 8 << 10
	problemsBeat = 2 * time.Second // between two looks whether something has changed
)

// problems is what the page says is wrong with the daemon, for verbs that have
// no other way to ask it.
type problems struct {
	PID   int      `json:"pid"` // whose they are
	Words []string `json:"problems"`
}

// tellProblems keeps the file current until ctx ends. That it cannot be written
// is no reason to end: what is wrong with the disk is in the log.
func (d *daemon) tellProblems(ctx context.Context) error {
	var told []byte
	for {
		text := encodeProblems(problems{os.Getpid(), d.problems()})
		if !bytes.Equal(text, told) && writeProblems(d.first.StateDir, text) == nil {
			told = text
		}
		select {
		case <-time.After(jobs.UntilBeat(problemsBeat)):
		case <-ctx.Done():
			return nil
		}
	}
}

// problems are the notes of the page that are no mere information.
func (d *daemon) problems() []string {
	words := []string{}
	st := d.status()
	if st.ConfigError != "" {
		words = append(words, "the changed configuration is not in force: "+st.ConfigError)
	}
	for _, note := range st.Notes {
		if note.Level == ui.Warn || note.Level == ui.Error {
			words = append(words, note.Text)
		}
	}
	return words
}

// encodeProblems writes as many of them as there is room for.
func encodeProblems(p problems) []byte {
	all := slices.Clone(p.Words)
	for n := len(all); ; n-- {
		p.Words = all[:n]
		if n < len(all) {
			p.Words = append(all[:n:n], fmt.Sprintf("and %d more, see the page", len(all)-n))
		}
		text, err := json.Marshal(p)
		if err != nil {
			panic(err) // strings can be encoded
		}
		if pad := problemsSize - len(text) - 1; pad >= 0 || n == 0 {
			return append(append(text, bytes.Repeat([]byte{' '}, max(0, pad))...), '\n')
		}
	}
}

func writeProblems(stateDir string, text []byte) error {
	f, err := os.OpenFile(filepath.Join(stateDir, problemsName), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// readProblems gives what the daemon of that pid has noted. While it writes, the
// file may not be whole for a moment.
func readProblems(stateDir string, pid int) []string {
	for range 10 {
		text, err := os.ReadFile(filepath.Join(stateDir, problemsName))
		if err != nil {
			return nil
		}
		var p problems
		if json.Unmarshal(text, &p) == nil {
			if p.PID != pid {
				return nil
			}
			return p.Words
		}
	}
	return nil
}
