package main

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// cut shortens text to a width in columns, with an ellipsis of one column.
func cut(text string, width int, ellipsis string) string {
	if textWidth(text) <= width {
		return text
	}
	used := 0
	for i, r := range text {
		if used += runeWidth(r); used > width-1 {
			return text[:i] + ellipsis
		}
	}
	return text
}

func textWidth(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// runeWidth is how many columns a terminal gives a character: two to those that
// are wide by Unicode's annex 11, such as those of East Asia and most pictures.
func runeWidth(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fold breaks text between words into lines of a width; a width below 1 is
// endless. A word that is wider than a line is broken too.
func fold(text string, width int) []string {
	var lines []string
	for width > 0 && textWidth(text) > width {
		used, space, end := 0, 0, 0
		for i, r := range text {
			if used += runeWidth(r); used > width {
				end = i
				if r == ' ' {
					space = i
				}
				break
			}
			if r == ' ' {
				space = i
			}
		}
		if space > 0 {
			end = space
		}
		if end == 0 { // a character that is wider than a line
			break
		}
		lines = append(lines, text[:end])
		text = strings.TrimLeft(text[end:], " ")
	}
	return append(lines, text)
}
