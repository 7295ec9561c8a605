package progress

import (
	"bytes"
	"regexp"
)

// genericBar is the source of a percentage of which no tool is known.
const genericBar = "bar"

var (
	drawnBar   = regexp.MustCompile(`[\[|(][ .*\-]*[=#>█▉▊▋▌▍▎▏━╸╺░▒▓■.*\-]{3,}[ .*\-]*[\]|)]|[=#█━░▒▓■]{4,}`)
	percentSet = regexp.MustCompile(`(?i)\bprogress\b[^\w%]{0,3}\d|%\s*(?:complete|completed|done|finished|processed)\b`)
	genericETA = regexp.MustCompile(`(?i)\b(?:eta|remaining|left)\b[:= ]*((?:\d+\s?(?:d|h|m|min|s|sec)\s?)+|(?:\d+:)+\d\d)|%\s+((?:\d+d )?\d\d:\d\d:\d\d)$`)
)

// generic finds a percentage that stands alone in a line that was drawn over
// itself, or beside a drawn bar; or, if it grows then, beside words that say
// what it is.
func generic(text []byte, redraw bool) (finding, bool) {
	start, end, ok := onePercentage(text)
	if !ok || bytes.HasPrefix(text, []byte("(Reading database")) { // dpkg does so for a second, and never again
		return finding{}, false
	}
	percent := number(text[start:end])
	if percent > 100 {
		return finding{}, false
	}
	f := finding{reading: reading{source: genericBar, fraction: share(percent, 100), left: none}}
	bar := drawnBar.FindIndex(text)
	switch {
	case redraw || bar != nil:
	case percentSet.Match(text):
		f.weak = true
	default:
		return finding{}, false
	}
	label := text[:start]
	if bar != nil && bar[0] < start {
		label = text[:bar[0]]
	}
	f.text = tidy(bytes.Trim(label, " \t:|[(-=#>*."))
	if m := genericETA.FindSubmatch(text); m != nil {
		f.left = max(duration(string(trim(m[1]))), duration(string(trim(m[2]))))
	}
	return f, true
}

// onePercentage gives the place of the only number with a percent sign, without
// the sign. A sign that belongs to no number, as in an address, does not count.
func onePercentage(text []byte) (start, end int, ok bool) {
	for from := 0; ; {
		sign := bytes.IndexByte(text[from:], '%')
		if sign < 0 {
			return start, end, ok
		}
		sign += from
		from = sign + 1
		number := bytes.TrimSuffix(text[:sign], []byte(" "))
		digits := len(number)
		for digits > 0 && (isDigit(number[digits-1]) || number[digits-1] == '.') {
			digits--
		}
		switch {
		case digits == len(number):
			continue
		case ok, digits > 0 && isWord(number[digits-1]), from < len(text) && (isWord(text[from]) || text[from] == '%'):
			return 0, 0, false
		}
		start, end, ok = digits, len(number), true
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isWord(c byte) bool { return isDigit(c) || isLetter(c) || c == '_' }
