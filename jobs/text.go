package jobs

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shownRunes is how much of a foreign text stands in a message.
const shownRunes = 80

// Sanitize makes foreign text safe to print on one line of a terminal, a file
// or a page: control characters (C0, DEL, C1), characters that break lines
// (U+2028/9) or change the direction of text, and bytes that are not UTF-8
// become '?'. Every other character stays.
func Sanitize(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if unprintable(r) || r == utf8.RuneError && n == 1 {
			b.WriteByte('?')
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// Printable reports whether Sanitize leaves r as it is.
func Printable(r rune) bool { return !unprintable(r) }

// unprintable reports whether r changes how the text around it is shown.
func unprintable(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f: // C0, DEL, C1
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidi controls
		return true
	}
	return r == 0x2028 || r == 0x2029
}

// needsQuotes reports whether a POSIX shell, or Words, may read r as anything
// but itself.
func needsQuotes(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	case r < utf8.RuneSelf:
		return !strings.ContainsRune("@%+=:,./_-", r)
	}
	return unicode.IsSpace(r)
}

// shown gives foreign text as it stands in a message: in quotes, escaped, and
// cut.
func shown(s string) string {
	if short := cut(s, shownRunes); short != s {
		return strconv.Quote(short) + "…"
	}
	return strconv.Quote(s)
}

// cut gives the first n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// isID reports whether s has the form of a whole id: 36 letters, any case.
func isID(s string) bool { return len(s) == 36 && isIDPrefix(s) }

// isIDPrefix reports whether s can be the beginning of an id.
func isIDPrefix(s string) bool {
	if len(s) > 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20 // lower case; '-' stays as it is
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
