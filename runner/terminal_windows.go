package runner

import (
	"errors"
	"os"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// terminal is what no attempt has here: Windows has pseudo-consoles, whose output
// ends with the process that made them, and so would not outlive the supervisor.
type terminal struct{}

var errNoTerminal = errors.New("does not exist on Windows")

func openTerminal(sp *spec, _ *os.File, _ zerolog.Logger) (*terminal, error) {
	if sp.TTY {
		return nil, errNoTerminal
	}
	return nil, nil
}

func (t *terminal) output(log *os.File) *os.File { return log }
func (t *terminal) started(jobs.ProcessID)       {}
func (t *terminal) await()                       {}
func (t *terminal) discard()                     {}

// CheckTerminal tells why no pseudo-terminal can be had on this system.
func CheckTerminal() error { return errNoTerminal }

// Relay is never run here.
func Relay() error { return errNoTerminal }

func awaitOutput(string, <-chan struct{}) {}
