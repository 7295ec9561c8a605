package main

import (
	"os"
	"strings"

	"jobrunner/jobs"
)

// glyphs are what is drawn beside letters and digits.
type glyphs struct {
	states    map[jobs.State]string
	done      string // part of a bar
	half      string // at the end of what is done; "" if there is none
	guessed   string // what is done as earlier runs suggest
	left      string // the rest of a bar
	begin     string // before a bar
	end       string // behind it
	ellipsis  string // in place of what is cut off, one column
	separator string // between two facts
	warning   string
	silent    string // before a job that prints nothing any more
}

// fancy are for terminals and files that take UTF-8.
var fancy = glyphs{
	states: map[jobs.State]string{
		jobs.Pending: "◌", jobs.Running: "▶", jobs.Completed: "✓", jobs.Failed: "✗",
		jobs.Cancelled: "⊘", jobs.Timeout: "◷", jobs.Lost: "?", jobs.Rejected: "!",
	},
	done: "━", half: "╸", guessed: "┅", left: "─",
	ellipsis: "…", separator: " · ", warning: "!", silent: "⚠",
}

// simple are for all others.
var simple = glyphs{
	states: map[jobs.State]string{
		jobs.Pending: ".", jobs.Running: ">", jobs.Completed: "v", jobs.Failed: "x",
		jobs.Cancelled: "-", jobs.Timeout: "t", jobs.Lost: "?", jobs.Rejected: "!",
	},
	done: "#", guessed: "/", left: "-", begin: "[", end: "]",
	ellipsis: "~", separator: ", ", warning: "!", silent: "!",
}

// isUTF8 reports whether the environment's character set is UTF-8, as setlocale(3)
// finds it out.
func isUTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := os.Getenv(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
