//go:build !linux

package watcher

import "os"

// writersOf cannot say who has f open for writing. On Windows f was opened
// without sharing, so nobody has; but the file may be on another machine, whose
// clock says nothing here.
func writersOf(*os.File) writers { return writersUnknown }

// mayChangeElsewhere cannot be told on this system.
func mayChangeElsewhere(string) bool { return false }
