package jobs

import (
	"fmt"
	"strings"
)

// EndWords says in words what the end of a FAILED job usually means; "" if there
// is nothing useful to add to its reason. Of other states the reason already
// says who ended the job.
func (j *Job) EndWords() string {
	switch {
	case j.State != Failed, strings.Contains(j.Reason, "out of memory"):
		return "" // the reason has the proof
	case j.ExitCode != nil:
		return ExitWords(*j.ExitCode, "")
	case j.Signal != "":
		return ExitWords(0, j.Signal)
	}
	return ""
}

// ExitWords says in words what an exit status or the signal that ended a
// process usually means; "" if there is nothing useful to add. signal is "" for
// a process that exited by itself, and code does not count beside a signal.
func ExitWords(code int, signal string) string {
	if signal != "" {
		return signalWords[signal]
	}
	if words, ok := exitWords[code]; ok {
		return words
	}
	if words, ok := windowsWords[uint32(code)]; ok && code != int(uint8(code)) {
		return words
	}
	if n := code - 128; n > 0 && n < len(signalNames) && signalNames[n] != "" {
		name := signalNames[n]
		return fmt.Sprintf("128+%d means %s: %s", n, name, signalWords[name])
	}
	return ""
}

// exitWords are the statuses that shells, interpreters and sysexits.h agree on.
var exitWords = map[int]string{
	2:    "often wrong usage: an option or argument was not understood",
	64:   "wrong usage (EX_USAGE)",
	65:   "bad input data (EX_DATAERR)",
	66:   "an input could not be read (EX_NOINPUT)",
	67:   "no such user (EX_NOUSER)",
	68:   "no such host (EX_NOHOST)",
	69:   "a service it needs is unavailable (EX_UNAVAILABLE)",
	70:   "internal error of the program (EX_SOFTWARE)",
	71:   "error of the operating system (EX_OSERR)",
	72:   "a system file is missing or bad (EX_OSFILE)",
	73:   "an output could not be created (EX_CANTCREAT)",
	74:   "input or output error (EX_IOERR)",
	75:   "temporary failure, a later try may work (EX_TEMPFAIL)",
	76:   "protocol error (EX_PROTOCOL)",
	77:   "permission denied (EX_NOPERM)",
	78:   "bad configuration (EX_CONFIG)",
	124:  "often a time limit: timeout(1) ends so",
	125:  "often docker, env or timeout itself, before it began the command",
	126:  "a command in it was found but is not executable",
	127:  "a command in it was not found",
	9009: "a command in it was not found (cmd.exe)",
}

// windowsWords are the NTSTATUS values that a process on Windows ends with
// (ntstatus.h), and the codes of two runtimes' exceptions.
var windowsWords = map[uint32]string{
	0xC0000005: "0xC0000005: access violation, the program crashed",
	0xC000013A: "0xC000013A: ended by Ctrl-C or by closing its window",
	0xC0000135: "0xC0000135: a DLL was not found",
	0xC0000142: "0xC0000142: a DLL could not be initialised",
	0xC00000FD: "0xC00000FD: stack overflow",
	0xC0000409: "0xC0000409: the program aborted",
	0xC0000017: "0xC0000017: out of memory",
	0xC000001D: "0xC000001D: illegal instruction: built for another processor, or damaged",
	0xC0000022: "0xC0000022: access denied",
	0xC000007B: "0xC000007B: a DLL is damaged, or 32-bit where 64-bit is needed",
	0xC0000094: "0xC0000094: division by zero",
	0xC000012D: "0xC000012D: out of memory, the page file is full",
	0xC0000138: "0xC0000138: a DLL is of another version: it lacks a function",
	0xC0000139: "0xC0000139: a DLL is of another version: it lacks a function",
	0xC0000374: "0xC0000374: the heap was damaged, the program crashed",
	0xE0434352: "0xE0434352: an exception of .NET that nobody caught",
	0xE06D7363: "0xE06D7363: an exception of C++ that nobody caught",
	0x40010004: "0x40010004: the system shut down or the user logged off",
}

// signalNames has the numbers that are the same on every Unix, by which shells
// encode a signal as 128+n.
var signalNames = [...]string{
	1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
	8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM",
	24: "SIGXCPU", 25: "SIGXFSZ",
}

var signalWords = map[string]string{
	"SIGHUP":  "its terminal or session ended",
	"SIGINT":  "interrupted, as by Ctrl-C",
	"SIGQUIT": "asked to quit with a core dump",
	"SIGILL":  "illegal instruction: built for another processor, or damaged",
	"SIGTRAP": "stopped by a trap or breakpoint",
	"SIGABRT": "the program aborted itself, often a failed assertion",
	"SIGBUS":  "bad memory access, often a mapped file that shrank or a full disk",
	"SIGFPE":  "arithmetic error such as division by zero",
	"SIGKILL": "killed outright: probably out of memory, else by somebody's kill -9",
	"SIGSEGV": "bad memory access, the program crashed",
	"SIGPIPE": "wrote to a pipe that nobody reads any more",
	"SIGALRM": "its own alarm clock went off",
	"SIGTERM": "asked to end",
	"SIGSYS":  "used a system call that is not allowed here",
	"SIGXCPU": "used up its CPU time",
	"SIGXFSZ": "a file it wrote grew over the limit",
}
