package progress

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"jobrunner/jobs"
)

// reading is what one line tells.
type reading struct {
	source   string
	fraction float64       // 0…1; none if it tells only text
	text     string        // tidy
	left     time.Duration // as it says itself; none if it does not
}

// none stands for a fraction or a duration that is not told.
const none = -1

// maxText is how long a text may be, in bytes.
const maxText = 200

// tidy makes a text fit to be shown: one line, clean, not too long.
func tidy(raw []byte) string {
	text := strings.Join(strings.Fields(jobs.Sanitize(string(raw))), " ")
	if len(text) <= maxText {
		return text
	}
	const dots = "…"
	cut := maxText - len(dots)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.TrimSpace(text[:cut]) + dots
}

// trim takes blanks and the backspaces with which some bars go back away from
// both ends.
func trim(text []byte) []byte {
	for len(text) > 0 && isBlank(text[0]) {
		text = text[1:]
	}
	for len(text) > 0 && isBlank(text[len(text)-1]) {
		text = text[:len(text)-1]
	}
	return text
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\b' || c == 0 }

// share is done of total as a fraction; none if that makes no sense.
func share(done, total float64) float64 {
	if !(total > 0) || !(done >= 0) || math.IsInf(total, 0) {
		return none
	}
	return math.Min(done/total, 1)
}

// number reads 12, 1,234, 1_234, 0.5 and, with a unit, 1.2k or 3MiB, all of
// powers of 1000: what is compared has the same unit. Also none if it is none.
func number(text []byte) float64 {
	var digits [64]byte
	s := digits[:0]
	for i, c := range text {
		switch {
		case c == ',' || c == '_' || c == ' ':
		case c >= '0' && c <= '9' || c == '.' || (c == 'e' || c == '-' || c == '+') && i > 0:
			if s = append(s, c); len(s) == len(digits) {
				return none
			}
		case c == 'K':
			return scaled(s, 0)
		default:
			return scaled(s, strings.IndexByte("kMGTPEZY", c))
		}
	}
	return scaled(s, none)
}

// scaled gives the number in thousands to the power of one more than power.
func scaled(digits []byte, power int) float64 {
	n, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || !(n >= 0) || math.IsInf(n, 0) {
		return none
	}
	return n * math.Pow(1000, float64(power+1))
}
