package progress

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"

	"jobrunner/jobs"
)

// amount is how a job says on purpose how far it is: a fraction, a share or a
// percentage, and words.
var amount = regexp.MustCompile(`^(\d*\.?\d+(?:[eE][+-]?\d+)?)\s*(?:/\s*(\d*\.?\d+)|(%))?(?:\s+(.*))?$`)

var (
	jsonProgress = regexp.MustCompile(`"progress"\s*:\s*(\d*\.?\d+(?:[eE][+-]?\d+)?)\s*[,}]`)
	jsonStatus   = regexp.MustCompile(`"status"\s*:\s*("(?:[^"\\]|\\.)*")`)
	vsoProgress  = regexp.MustCompile(`^##vso\[task\.setprogress [^\]]*?value=(\d{1,3});?[^\]]*\](.*)$`)
)

// saidReading reads a line that is there to tell how far the job is.
func saidReading(text []byte) (reading, bool) {
	switch text[0] {
	case '@':
		if rest, ok := bytes.CutPrefix(text, []byte("@progress")); ok && len(rest) > 0 && (isBlank(rest[0]) || rest[0] == ':') {
			return amountReading(rest[1:], jobs.ProgressSaid)
		}
	case '#':
		if m := vsoProgress.FindSubmatch(text); m != nil {
			return percentReading(m[1], m[2]), true
		}
	case '{':
		if bytes.Contains(text, []byte(`"progress"`)) {
			return jsonReading(text)
		}
	}
	return reading{}, false
}

// loneReading reads a percentage that is all of a line.
func loneReading(text []byte) (reading, bool) {
	if !isDigit(text[0]) || text[len(text)-1] != '%' {
		return reading{}, false
	}
	digits := trim(text[:len(text)-1])
	return percentReading(digits, nil), isPlain(digits) && number(digits) <= 100
}

// fileReading reads the last line of a progress file that is not blank.
func fileReading(content []byte) (reading, bool) {
	content = bytes.TrimSpace(bytes.ReplaceAll(content, []byte{0}, nil))
	line := trim(content[1+bytes.LastIndexAny(content, "\n\r"):])
	if len(line) == 0 {
		return reading{}, false
	}
	r, ok := saidReading(line)
	if !ok {
		r, ok = amountReading(line, jobs.ProgressFile)
	}
	r.source = jobs.ProgressFile
	return r, ok
}

// amountReading reads "42/100 text", "42% text", "0.42 text", or words alone.
func amountReading(text []byte, source string) (reading, bool) {
	text = trim(text[:min(len(text), maxLine)])
	r := reading{source: source, fraction: none, left: none}
	m := amount.FindSubmatch(text)
	if m == nil {
		r.text = tidy(text)
		return r, r.text != ""
	}
	n := number(m[1])
	switch {
	case m[2] != nil:
		r.fraction = share(n, number(m[2]))
		r.text = string(m[1]) + "/" + string(m[2])
	case m[3] != nil || n > 1:
		r.fraction = share(n, 100)
	default:
		r.fraction = share(n, 1)
	}
	if len(m[4]) > 0 {
		r.text = string(m[4])
	}
	r.text = tidy([]byte(r.text))
	return r, true
}

// jsonReading reads the object that Cronicle's and xyOps' jobs write.
func jsonReading(text []byte) (reading, bool) {
	m := jsonProgress.FindSubmatch(text)
	if m == nil {
		return reading{}, false
	}
	r, ok := amountReading(m[1], jobs.ProgressSaid)
	if status := jsonStatus.FindSubmatch(text); status != nil {
		var words string
		if json.Unmarshal(status[1], &words) == nil {
			r.text = tidy([]byte(words))
		}
	}
	return r, ok
}

func percentReading(percent, words []byte) reading {
	return reading{
		source: jobs.ProgressSaid, fraction: share(number(percent), 100),
		text: tidy(words), left: none,
	}
}

// oscReading reads 9;4;state;percent: state 0 takes the bar away, 1 is one, 2
// and 4 are one of a program that failed or pauses, 3 is one without a length.
func oscReading(osc []byte) (r reading, clear, ok bool) {
	rest, ok := bytes.CutPrefix(osc, []byte("9;4;"))
	if !ok || len(rest) == 0 {
		return reading{}, false, false
	}
	state, value, _ := bytes.Cut(rest, []byte(";"))
	switch string(state) {
	case "0":
		return reading{}, true, true
	case "1", "2", "4":
		percent, err := strconv.Atoi(string(value))
		if err != nil || percent < 0 {
			return reading{}, false, false
		}
		return percentReading(value, nil), false, true
	}
	return reading{}, false, false
}

// isPlain reports whether text is a number of digits and at most one point.
func isPlain(text []byte) bool {
	points := 0
	for _, c := range text {
		switch {
		case c == '.':
			points++
		case c < '0' || c > '9':
			return false
		}
	}
	return len(text) > points && points <= 1
}
