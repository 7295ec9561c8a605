//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// showsFancy reports whether there are fonts for more than ASCII. The console of
// Linux has too few characters for that.
func showsFancy() bool {
	term := os.Getenv("TERM")
	return isUTF8() && term != "dumb" && term != "linux"
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}

// terminalSize gives 0 for what is not known.
func terminalSize(f *os.File) (columns, rows int) {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(size.Col), int(size.Row)
}
