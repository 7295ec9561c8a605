package jobs

import (
	"strings"
	"unicode/utf8"
)

// Word is one word of a line.
type Word struct {
	Text   string
	Quoted bool // some part of it stood in quotes or behind a backslash
}

// Words splits a line at spaces and tabs and groups words as a POSIX shell
// does: '…' is literal, inside "…" a backslash quotes only " and \. Outside
// quotes a backslash quotes only a following space, quote or backslash, so
// that Windows paths stay whole. Nothing is ever expanded. The error is a
// *Fault that bears the column of a quote that is never closed.
func Words(line string) ([]Word, error) {
	s := wordScanner{line: line}
	for s.pos < len(line) {
		switch c := line[s.pos]; c {
		case ' ', '\t':
			s.finish()
			s.pos++
		case '\'', '"':
			if !s.quoted(c) {
				return nil, unclosed(line, s.pos)
			}
		default:
			s.plain(c)
		}
	}
	s.finish()
	return s.words, nil
}

type wordScanner struct {
	line  string
	pos   int
	words []Word

	text strings.Builder // the word so far
	open bool            // a word has begun, though its text may be empty
	quot bool            // some part of it was quoted
}

// plain takes one byte outside quotes, or two behind a quoting backslash.
func (s *wordScanner) plain(c byte) {
	s.open = true
	if c == '\\' && s.pos+1 < len(s.line) && strings.IndexByte(` '"\`, s.line[s.pos+1]) >= 0 {
		s.quot = true
		s.pos++
		c = s.line[s.pos]
	}
	s.text.WriteByte(c)
	s.pos++
}

// quoted takes everything up to the quote that closes the one at pos. It
// reports false, and stays where it is, when there is none.
func (s *wordScanner) quoted(quote byte) bool {
	s.open, s.quot = true, true
	for i := s.pos + 1; i < len(s.line); i++ {
		c := s.line[i]
		if c == quote {
			s.pos = i + 1
			return true
		}
		if c == '\\' && quote == '"' && i+1 < len(s.line) && (s.line[i+1] == '"' || s.line[i+1] == '\\') {
			i++
			c = s.line[i]
		}
		s.text.WriteByte(c)
	}
	return false
}

func (s *wordScanner) finish() {
	if s.open {
		s.words = append(s.words, Word{Text: s.text.String(), Quoted: s.quot})
	}
	s.text.Reset()
	s.open, s.quot = false, false
}

func unclosed(line string, pos int) *Fault {
	name := "single quote (')"
	if line[pos] == '"' {
		name = `double quote (")`
	}
	return &Fault{
		Column:  utf8.RuneCountInString(line[:pos]) + 1,
		Message: "this " + name + " is never closed",
		Hint:    "close it, or put a backslash before it",
	}
}

// Quote writes arg as one word that Words, and a POSIX shell, read as arg.
func Quote(arg string) string {
	if arg != "" && strings.IndexFunc(arg, needsQuotes) < 0 {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}
