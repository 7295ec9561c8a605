package progress

import (
	"bytes"
	"regexp"
)

// genericBar is the source of a percentage of which no tool is known.
const genericBar = "bar"

var (
	drawnBar   = regexp.MustCompile(`[\[|(][ .*\-]*[=#>█▉▊▋▌▍▎▏━╸╺░▒▓■.*\-]{3,}[ .*\-]*[\]|)]|[\[|(][=#>█▉▊▋▌▍▎▏]+ {3,}[\]|)]|[=#█━░▒▓■]{4,}`)
	genericETA = regexp.MustCompile(`(?i)\b(?:eta|remaining|left)\b[:= ]*((?:\d+\s?(?:d|h|m|min|s|sec)\s?)+|(?:\d+:)+\d\d)|%\s+((?:\d+d )?\d\d:\d\d:\d\d)$`)
)

// generic finds a percentage that stands alone in a line that was drawn over
// itself, or beside a drawn bar; or, if it grows then, beside words that say
// what it is.
func generic(text []byte, class uint8, how drawing) (finding, bool) {
	start, end, ok := onePercentage(text)
	if !ok || bytes.HasPrefix(text, []byte("(Reading database")) { // dpkg does so for a second, and never again
		return finding{}, false
	}
	percent := number(text[start:end])
	if percent > 100 {
		return finding{}, false
	}
	f := finding{reading: reading{source: genericBar, fraction: share(percent, 100), left: none}}
	var bar []int
	if class&(hasBracket|hasFrame|hasBox) != 0 {
		bar = drawnBar.FindIndex(text)
	}
	switch {
	case bar != nil:
	case how.redraw:
		f.echo = how.last
	case setAlone(text, start, end):
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

// setAlone reports whether a word beside the percentage says what it is:
// "progress: 45%", "45 % done".
func setAlone(text []byte, start, end int) bool {
	before := bytes.TrimRight(text[:start], " :=(")
	if len(before) >= 8 && bytes.EqualFold(before[len(before)-8:], []byte("progress")) {
		return true
	}
	after := bytes.TrimLeft(text[end:], " %")
	n := 0
	for n < len(after) && isLetter(after[n]) {
		n++
	}
	switch string(bytes.ToLower(after[:n])) {
	case "complete", "completed", "done", "finished", "processed":
		return true
	}
	return false
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
