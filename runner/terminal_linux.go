package runner

import "golang.org/x/sys/unix"

// What reads and sets the settings of a terminal.
const (
	termiosGet = unix.TCGETS
	termiosSet = unix.TCSETS
)
