package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/config"
	"jobrunner/jobs"
)

// logSink is where the daemon's log goes. Its form and level can be changed
// while it is in use.
type logSink struct {
	stderr io.Writer

	mu      sync.Mutex // guards form, and keeps lines whole
	form    io.Writer
	console bool
}

// newLog returns a logger that writes to stderr as the configuration says.
func newLog(stderr io.Writer, c config.LogConfig) (zerolog.Logger, *logSink) {
	zerolog.TimeFieldFormat = jobs.TimeFormat
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
	s := &logSink{stderr: stderr}
	s.set(c)
	return zerolog.New(s).With().Timestamp().Logger(), s
}

// set puts a configuration in force.
func (s *logSink) set(c config.LogConfig) {
	if level, err := zerolog.ParseLevel(c.Level); err == nil { // config knows the levels
		zerolog.SetGlobalLevel(level)
	}
	to := newScreen(s.stderr)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.console = c.Format == "console" || c.Format == "auto" && to.terminal()
	s.form = s.stderr
	if s.console {
		s.form = zerolog.ConsoleWriter{
			Out: s.stderr, NoColor: !to.colour, TimeFormat: time.TimeOnly, TimeLocation: time.Local,
			FieldsOrder: []string{"page", "job", "state", "reason", "type", "source"},
		}
	}
}

func (s *logSink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.form.Write(p)
}

// isConsole reports whether the log is written for people.
func (s *logSink) isConsole() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.console
}

// node is the name of this machine; "" if it has none.
func node() string {
	name, _ := os.Hostname()
	return name
}
