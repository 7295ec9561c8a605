//go:build !linux && !windows

package watcher

import (
	"errors"
	"os"
	"time"
)

var errNoExclusive = errors.New("this system has no way to keep other programs out of a file")

// openExclusive is not to be had here; unsafeToWrite says so first.
func openExclusive(string, bool) (*os.File, error) { return nil, errNoExclusive }

// lasts is never asked here.
func lasts(*os.File, time.Time) bool { return true }

// openQuiet is not to be had here; unsafeToWrite says so first.
func openQuiet(string) (*os.File, error) { return nil, errNoExclusive }

// unsafeToWrite says in words why the file at path cannot be written safely.
func unsafeToWrite(string) string { return errNoExclusive.Error() }

// holders names programs that have path open; this system does not tell.
func holders(string) []string { return nil }
