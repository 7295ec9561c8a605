package jobs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Bounds of a headline.
const (
	headlineTail  = 64 << 10 // bytes at the end of an output that are looked through
	headlineLine  = 2 << 10  // bytes of a line that are looked at
	headlineRunes = 200

	headlineEffort = 4 * headlineTail // bytes in which ends of tracebacks are looked for
)

// Headline gives the line of an output's end that says best why the attempt
// failed: "RuntimeError: CUDA out of memory". That is the last line that reads
// like the end of a traceback, a panic or a message of an error, else the last
// one that reads like what a tool says of another's failure ("make: *** Error
// 1"), else the last line that has words in it. Terminal sequences are removed,
// of a line that was redrawn the last state counts, and it passes Sanitize. ""
// if there is nothing.
func Headline(tail []byte) string {
	text, _ := headline(tail)
	return text
}

// OutputHeadline is the Headline of an attempt's output; at is where in its View
// the line begins. "" if there is no output, or nothing in it.
func OutputHeadline(stateDir string, j *Job, attempt int) (text string, at int64, err error) {
	out, err := OpenOutput(stateDir, j, attempt)
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	defer out.Close()
	v, err := out.View()
	if err != nil {
		return "", 0, err
	}
	start := max(0, v.Size()-headlineTail)
	tail := make([]byte, v.Size()-start)
	n, err := v.ReadAt(tail, start)
	if n == 0 && err != nil && err != io.EOF {
		return "", 0, wrapRead(err)
	}
	tail = tail[:n]
	if i := bytes.IndexByte(tail, '\n'); start > 0 && i >= 0 && i < len(tail)-1 {
		tail, start = tail[i+1:], start+int64(i)+1 // the first line is not whole
	}
	text, in := headline(tail)
	return text, start + int64(in), nil
}

// headline is Headline, and where in tail the line begins.
func headline(tail []byte) (text string, at int) {
	var weak, last, after found // after: what follows the line that is looked at
	effort := headlineEffort
	for end := len(tail); end > 0; {
		start := bytes.LastIndexByte(tail[:end-1], '\n') + 1
		line := found{plainLine(tail[start:end]), start}
		end = start
		if cause, ok := tracebackEnd(tail[start:], line, &effort); ok {
			return cause.shown()
		}
		words := strings.TrimSpace(line.text)
		if !hasWords(words) || noisy(words) {
			continue
		}
		switch lower := strings.ToLower(words); {
		case wraps(lower):
			weak = weak.or(line)
		case alarms(lower) && tells(line.text):
			return line.joined(after).shown()
		}
		last, after = last.or(line), line
	}
	return weak.or(last).shown()
}

// found is a line of an output.
type found struct {
	text string
	at   int
}

// or is f, or other if f is none.
func (f found) or(other found) found {
	if f.text == "" {
		return other
	}
	return f
}

// joined puts behind a line that only announces its message the next one, which
// has it.
func (f found) joined(next found) found {
	what := strings.TrimSpace(next.text)
	switch {
	case strings.HasPrefix(what, "what():") && strings.HasPrefix(f.text, "terminate called"):
		f.text += ":" + strings.TrimPrefix(what, "what():")
	case what != "" && strings.HasSuffix(strings.TrimSpace(f.text), ":"):
		f.text = strings.TrimSpace(f.text) + " " + what
	case what != "" && matlab.MatchString(f.text):
		f.text = strings.TrimSpace(f.text) + ": " + what
	}
	return f
}

func (f found) shown() (text string, at int) {
	text = Sanitize(strings.TrimSpace(strings.ReplaceAll(f.text, "\t", " ")))
	if utf8.RuneCountInString(text) > headlineRunes {
		text = cut(text, headlineRunes-1) + "…"
	}
	return text, f.at
}

// tells reports whether a line says itself why something failed.
func tells(line string) bool {
	end := strings.TrimRight(line, " .")
	return slices.ContainsFunc(telling, func(words string) bool { return strings.Contains(line, words) }) ||
		slices.ContainsFunc(ending, func(words string) bool { return strings.HasSuffix(end, words) }) ||
		headlines().MatchString(line)
}

// telling are words that no other line has.
var telling = []string{
	"CUDA out of memory", "OutOfMemoryError", "CUDA error: ", "egmentation fault", "Bus error", "Illegal instruction",
	"stack smashing detected", "No space left on device", "Exec format error", "is not recognized as ",
	"level=error", "level=fatal", `"level":"error"`, `"level":"fatal"`, `"level": "error"`,
}

// ending are how messages of the shell, of the system and of an assertion end.
var ending = []string{": not found", ": command not found", ": No such file or directory", ": Permission denied", "' failed"}

// headlines are lines that say themselves why something failed. All are bound to
// the line's beginning, so that a line is run through once.
var headlines = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^(?:" + strings.Join(headlineForms, "|") + ")") })

var headlineForms = []string{
	// Python's "pkg.SomeError: words", Java's and .NET's, Node's.
	`(?:Caused by: |Uncaught )?[A-Za-z_][\w.$]*(?:Error|Exception)(?: \[\w+\])?(?:: .*)?\s*$`,
	`Exception in thread |Unhandled [eE]xception|Fatal Python error: |SystemExit: |KeyboardInterrupt\b`,
	// Go, Rust, C and C++, and the shell that ran them.
	`(?:panic|fatal error|fatal): |thread '.*' .*panicked at |runtime: out of memory`,
	`terminate called after throwing|libc\+\+abi: |double free or corruption|free\(\): |malloc\(\): |==\d+==\s?ERROR: `,
	`(?:.*:\s+line \d+:\s+\d+ )?Killed\b`,
	// Messages of logging libraries, with or without the time, and of tools.
	`(?:[\d\[(][-\d:.,/T+Z\])]*[ \t]+)*[\[<(]?(?i:error|fatal|critical)[:\]>)].*\pL\pL`,
	`(?:[\d\[(][-\d:.,/T+Z\])]*[ \t]+)*(?:[|\-:][ \t]*)?(?:ERROR|FATAL|CRITICAL)\b`,
	`[EF]\d{4} \d\d:\d\d:\d\d`,
	`[^\s:][^:]*:(?:\d+:(?:\d+:)?)? (?i:fatal )?(?i:error)\b[^:]*: `,
	`error\[\w+\]: |PHP Fatal error: |Error in .*:|\{?Error using `,
	`[^\s:]+:\d+:in .*\(\w+\)$`, // Ruby
	`FAILED \S+::\S+ - `,        // pytest
}

// matlab is a line that names who failed; why is in the next.
var matlab = regexp.MustCompile(`^\{?Error using \S+`)

// Lines that say no more than that something else failed begin with one of
// wrapping, or have one of wrapped in them; in lower case.
var (
	wrapping = []string{
		"make: ", "make[", "gmake: ", "ninja: build stopped", "npm err", "yarn error", "srun: error: ", "aborted", "execution halted",
		"terminated", "matlab is exiting",
	}
	wrapped = []string{
		"exited with", "exit status", "exit code", "returned non-zero", "returned a non-zero", "elifecycle", "childfailederror",
		"could not compile", "aborting due to", " previous error",
	}
)

// wraps reports whether a line, in lower case, is such a one.
func wraps(line string) bool {
	frame := strings.HasPrefix(line, "error in ") && strings.Contains(line, " (line ") // MATLAB's
	return frame || slices.ContainsFunc(wrapping, func(begin string) bool { return strings.HasPrefix(line, begin) }) ||
		slices.ContainsFunc(wrapped, func(words string) bool { return strings.Contains(line, words) })
}

// alarming are letters of which some stand in every line that tells, in lower
// case. Most lines have none, which is found out far sooner.
var alarming = []string{
	"error", "exception", "fatal", "panic", "critical", "fault", "failed", "killed", "exit", "interrupt", "abi", "termina",
	"cuda", "memory", "free", "malloc", "smashing", "illegal", "not found", "no such", "denied", "no space", "not recognized",
	":in ",
}

// alarms reports whether a line, in lower case, may be one that tells.
func alarms(line string) bool {
	return line[0] == 'e' || line[0] == 'f' || slices.ContainsFunc(alarming, func(word string) bool { return strings.Contains(line, word) })
}

// noise are beginnings of lines that stand behind a message and say nothing
// themselves: frames of a stack, hints, farewells.
var noise = []string{
	"at ", "from ", "goroutine ", "created by ", "Calls: ", "Node.js v", "note: run with `RUST_BACKTRACE",
	"Run 'docker ", "wandb: ", "npm ERR! A complete log", "npm error A complete log",
}

func noisy(words string) bool {
	switch words {
	case "npm error", "npm ERR!":
		return true
	}
	return slices.ContainsFunc(noise, func(begin string) bool { return strings.HasPrefix(words, begin) })
}

// tracebackBegins is Python's; what stands before it on the line may be the
// rank of a process, which then stands before all lines, or a progress bar.
const tracebackBegins = "Traceback (most recent call last)"

// tracebackEnd gives the exception of a traceback that begins with the first
// line of text, which is line: the first one behind it that is not indented. effort is
// how many bytes may still be looked at: many tracebacks may have no end.
func tracebackEnd(text []byte, line found, effort *int) (found, bool) {
	before, _, begins := strings.Cut(line.text, tracebackBegins)
	if !begins {
		return found{}, false
	}
	if strings.HasSuffix(before, "Exception Group ") {
		before = "  | "
	}
	for at := 0; at < len(text) && *effort > 0; {
		end := len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		words := strings.TrimPrefix(plainLine(text[at:end]), before)
		first, _ := utf8.DecodeRuneInString(words)
		if at > 0 && hasWords(words) && (unicode.IsLetter(first) || first == '_') {
			return found{words, line.at + at}, true
		}
		*effort -= end - at
		at = end
	}
	return found{}, false
}

// terminalEscapes are the sequences with which programs colour and move on a
// terminal: operating system commands, control sequences, and the short ones.
var terminalEscapes = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[PX^_][^\x1b\n]*\x1b\\|[ -/]*[0-~])`)

// plainLine gives a line as it stands on a terminal at its end, cut where it is
// very long, without what is only for the terminal.
func plainLine(line []byte) string {
	line = bytes.TrimRight(line, "\r\n")
	if i := bytes.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	line = line[:min(len(line), headlineLine)]
	if bytes.IndexByte(line, 0x1b) >= 0 {
		line = terminalEscapes.ReplaceAll(line, nil)
	}
	if bytes.IndexByte(line, '\b') < 0 {
		return string(line)
	}
	var kept []rune
	for _, r := range string(line) {
		if r != '\b' {
			kept = append(kept, r)
		} else if len(kept) > 0 {
			kept = kept[:len(kept)-1]
		}
	}
	return string(kept)
}

// hasWords reports whether a line is more than a rule or a bracket.
func hasWords(line string) bool {
	return strings.IndexFunc(line, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0
}
