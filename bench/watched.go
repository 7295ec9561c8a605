//go:build linux

package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed steps.go.txt
var stepsSource []byte

// buildWatched makes a jobrunner that notes its steps: as it is, with a file more, of
// which the compiler is told by -overlay.
func (b *bench) buildWatched() (string, error) {
	folder, err := filepath.Abs("cmd/jobrunner")
	if err != nil {
		return "", err
	}
	source := filepath.Join(b.home, "steps.go")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(folder, "steps.go"): source}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(b.home, "overlay.json")
	if err := errors.Join(os.WriteFile(source, stepsSource, 0o600), os.WriteFile(list, overlay, 0o600)); err != nil {
		return "", err
	}
	program := filepath.Join(b.home, "watched")
	cmd := exec.Command("go", "build", "-trimpath", "-overlay", list, "-o", program, "./cmd/jobrunner")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return program, run(cmd)
}

// step is one that a watched jobrunner has passed.
type step struct {
	name string
	at   time.Duration
}

// readSteps gives the steps that are noted in a file, in their order.
func readSteps(file string) ([]step, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []step
	for line := range strings.Lines(string(text)) {
		stamp, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("a step's note is %q: %w", line, err)
		}
		all = append(all, step{name, time.Duration(at)})
	}
	return all, nil
}
