package jobs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// maxSecret is how large the file of a hook's secret may be, in bytes.
const maxSecret = 64 << 10

// Hook is what is done when a job has ended, or when none is left.
type Hook struct {
	At      Position // where it is configured
	On      []State  // the ended states at which it is run
	AllDone bool     // it is run when the queue ran empty

	Command []string      // argv; empty if URL is set
	URL     string        // webhook; "" if Command is set
	Timeout time.Duration // of one try
	Retries int           // further tries of a webhook

	// The key of a webhook's signature comes from one of these; see Key. They,
	// and the URL, are shown nowhere.
	Secret     string
	SecretFile string // absolute path
	SecretEnv  string // name of a variable of this process
}

// HookStates are the states at which a hook is run that names none.
func HookStates() []State { return []State{Completed, Failed, Cancelled, Timeout, Lost} }

// Wants reports whether the hook is run for a job that ended in s.
func (h *Hook) Wants(s State) bool { return slices.Contains(h.On, s) }

// Key gives the key of the webhook's signature as it is now; "" means that
// nothing is signed. A key that is configured and cannot be had is an error:
// what was to be signed must not go out without.
func (h *Hook) Key() (string, error) {
	switch {
	case h.SecretFile != "":
		key, err := secretOf(h.SecretFile)
		if err != nil {
			return "", fmt.Errorf("reading the secret: %w", err)
		}
		return key, nil
	case h.SecretEnv != "":
		key := os.Getenv(h.SecretEnv)
		if key == "" {
			return "", fmt.Errorf("reading the secret: the variable %s is not set", h.SecretEnv)
		}
		return key, nil
	}
	return h.Secret, nil
}

// secretOf reads a file without the white space at its end, which editors put
// there.
func secretOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() { // opening a FIFO would wait for ever
		return "", fmt.Errorf("%s is no regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	switch key := strings.TrimRight(string(data), " \t\r\n"); {
	case err != nil:
		return "", err
	case len(data) > maxSecret:
		return "", errors.New(path + " is larger than a secret")
	case key == "":
		return "", errors.New(path + " is empty")
	default:
		return key, nil
	}
}
