package ui

import "time"

// System is what the page of the system says of the daemon beside the rest of
// its Status. What is not known is left out.
type System struct {
	PID        int
	Config     ConfigState
	Settings   []Setting // in force, as the configuration names them; nothing secret
	Places     []Place
	Events     string // how it learns of changed files: "native" or "polling every 2s"
	QueueFile  string // how the queue file is used, in words
	Supervisor string // the process that owns the jobs, in words
	Database   int64  // bytes that it takes on disk
	Retention  string // which ended jobs go, in words
}

// ConfigState is where the configuration is from.
type ConfigState struct {
	Path     string
	LoadedAt time.Time // when what is in force was read
	Faults   []string  // why a changed one is not in force, each with its place in the file
}

// Setting is a key of the configuration.
type Setting struct {
	Name  string
	Value string
	Next  string // what it is from the next start on; "" if it stays
}

// Place is a file or folder that the daemon works in, and the room there.
type Place struct {
	What  string // "inbox"
	Path  string
	Free  int64 // bytes; what is known only if Total is not 0
	Total int64 // bytes
}
