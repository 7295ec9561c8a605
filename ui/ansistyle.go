package ui

import (
	"strconv"
	"strings"
)

// style is how a letter of a job's output is drawn: two tones and some flags.
// Only tones stay of all the colours that a terminal knows, since the page has
// for each a colour that can be read by light and by dark.
type style uint16

// Tones, of the letter itself and, shifted by backShift, of what is behind it. A
// tone behind decides over both, so that they differ enough.
const (
	toneRed style = iota + 1
	toneGreen
	toneYellow
	toneBlue
	toneMagenta
	toneCyan
	toneGrey
	toneInverse // as a background: that of the page's letters

	tones     style = 0xf
	backShift style = 4
)

// Flags.
const (
	bold style = 1 << (iota + 2*backShift)
	dim
	italic
	underline
	struck
	reverse
	found // a text that was searched for
)

// classes are the names of a style in the page's style sheet, "" for that of plain
// text. Nothing in it is from the output.
func (s style) classes() string {
	if s == 0 {
		return ""
	}
	fore, back := s&tones, s>>backShift&tones
	if s&reverse != 0 {
		if back = fore; back == 0 {
			back = toneInverse
		}
	}
	var names []string
	switch {
	case back != 0:
		names = append(names, "b"+strconv.Itoa(int(back)))
	case fore != 0:
		names = append(names, "f"+strconv.Itoa(int(fore)))
	case s&dim != 0:
		names = append(names, "f"+strconv.Itoa(int(toneGrey)))
	}
	for _, flag := range []struct {
		bit  style
		name string
	}{{bold, "em"}, {italic, "it"}, {underline, "un"}, {struck, "st"}, {found, "hit"}} {
		if s&flag.bit != 0 {
			names = append(names, flag.name)
		}
	}
	return strings.Join(names, " ")
}

// graphics are the parameters of "select graphic rendition" that set or clear
// flags (ECMA-48, 8.3.117).
var graphics = map[int]struct{ clear, set style }{
	1: {0, bold}, 2: {0, dim}, 3: {0, italic}, 4: {0, underline}, 7: {0, reverse}, 9: {0, struck}, 21: {0, underline},
	22: {bold | dim, 0}, 23: {italic, 0}, 24: {underline, 0}, 27: {reverse, 0}, 29: {struck, 0},
	39: {tones, 0}, 49: {tones << backShift, 0},
}

// rendered is s after such a sequence with these parameters: "1;31", "38;5;208",
// "38:2::255:100:0". What is not known changes nothing.
func (s style) rendered(params string) style {
	list := strings.Split(params, ";")
	for i := 0; i < len(list); i++ {
		head, sub, colons := strings.Cut(list[i], ":")
		n, err := strconv.Atoi(head)
		switch g, ok := graphics[n]; {
		case err != nil && head != "":
		case n == 0:
			s = 0
		case n == 4 && sub == "0":
			s &^= underline
		case ok:
			s = s&^g.clear | g.set
		case (n == 38 || n == 48) && colons:
			tone, _ := extended(strings.Split(sub, ":"))
			s = s.toned(n == 48, tone)
		case n == 38 || n == 48:
			tone, used := extended(list[i+1:])
			s = s.toned(n == 48, tone)
			i += used
		case n >= 30 && n <= 37:
			s = s.toned(false, basic(n-30))
		case n >= 40 && n <= 47:
			s = s.toned(true, basic(n-40))
		case n >= 90 && n <= 97:
			s = s.toned(false, basic(n-90+8))
		case n >= 100 && n <= 107:
			s = s.toned(true, basic(n-100+8))
		}
	}
	return s
}

// toned is s with another tone of its letters, or behind them.
func (s style) toned(back bool, tone style) style {
	if back {
		return s&^(tones<<backShift) | tone<<backShift
	}
	if tone == toneInverse {
		tone = 0 // white is the colour of plain text, black on a white page
	}
	return s&^tones | tone
}

// basic is the tone of the 16 colours that every terminal has.
func basic(n int) style {
	switch n {
	case 0:
		return 0
	case 7, 15:
		return toneInverse
	case 8:
		return toneGrey
	}
	return style(n % 8)
}

// extended reads what follows 38 or 48: 5 and one of 256 colours, or 2 and red,
// green and blue. used is how many parameters that are.
func extended(params []string) (tone style, used int) {
	number := func(i int) int {
		if i >= len(params) {
			return 0
		}
		n, err := strconv.Atoi(params[i])
		if err != nil {
			return 0
		}
		return min(max(n, 0), 255)
	}
	switch number(0) {
	case 5:
		return indexed(number(1)), 2
	case 2:
		first := 1
		if len(params) == 5 && params[1] == "" { // the colour space of the form with colons
			first = 2
		}
		return nearest(number(first), number(first+1), number(first+2)), 4
	}
	return 0, 0
}

// indexed is the tone of one of the 256 colours: 16 basic ones, a cube of six
// steps, and greys, as xterm has them.
func indexed(n int) style {
	step := func(i int) int {
		if i == 0 {
			return 0
		}
		return 55 + 40*i
	}
	switch {
	case n < 16:
		return basic(n)
	case n < 232:
		n -= 16
		return nearest(step(n/36), step(n/6%6), step(n%6))
	}
	grey := 8 + 10*(n-232)
	return nearest(grey, grey, grey)
}

// nearest is the tone whose hue comes next to a colour.
func nearest(r, g, b int) style {
	high, low := max(r, g, b), min(r, g, b)
	spread := high - low
	switch {
	case high < 48:
		return 0
	case spread*4 < high: // pale
		if low > 200 {
			return toneInverse
		}
		return toneGrey
	}
	var hue int // in degrees
	switch high {
	case r:
		hue = 60 * (g - b) / spread
	case g:
		hue = 120 + 60*(b-r)/spread
	default:
		hue = 240 + 60*(r-g)/spread
	}
	switch hue = (hue + 360) % 360; {
	case hue < 20 || hue >= 335:
		return toneRed
	case hue < 70:
		return toneYellow
	case hue < 165:
		return toneGreen
	case hue < 200:
		return toneCyan
	case hue < 265:
		return toneBlue
	}
	return toneMagenta
}
