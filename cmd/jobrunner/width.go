package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
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

// wide are the ranges of characters that terminals show in two columns.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{{0x1100, 0x115f, 1}, {0x2e80, 0xa4cf, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfaff, 1}, {0xfe30, 0xfe6f, 1}, {0xff00, 0xff60, 1}, {0xffe0, 0xffe6, 1}},
	R32: []unicode.Range32{{0x1f300, 0x1f64f, 1}, {0x1f900, 0x1f9ff, 1}, {0x20000, 0x3fffd, 1}},
}

// runeWidth is how many columns a terminal gives a character.
func runeWidth(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.Is(wide, r):
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
