package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// utf8CodePage is the number of UTF-8 among the code pages.
const utf8CodePage = 65001

// showsFancy reports whether there are fonts for more than ASCII: in Windows
// Terminal there are, in the older console window if it was set to UTF-8.
func showsFancy() bool {
	page, err := windows.GetConsoleOutputCP()
	return os.Getenv("WT_SESSION") != "" || err == nil && page == utf8CodePage || isUTF8()
}

// isTerminal reports whether f is a console that can be told to understand
// escape sequences, and tells it.
func isTerminal(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// terminalSize gives 0 for what is not known.
func terminalSize(f *os.File) (columns, rows int) {
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(windows.Handle(f.Fd()), &info) != nil {
		return 0, 0
	}
	return int(info.Window.Right-info.Window.Left) + 1, int(info.Window.Bottom-info.Window.Top) + 1
}
