package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// Sizes in a picture of a terminal, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 19.0
	baseline   = 14.0 // of a line's letters, below its top
	margin     = 16.0
	titleBar   = 34.0
)

// sgrStyles are what colours look like in a picture: those of GitHub's dark theme.
var sgrStyles = map[string]string{
	"":     `fill="#e6edf3"`,
	bold:   `fill="#ffffff" font-weight="700"`,
	dim:    `fill="#9198a1"`,
	red:    `fill="#ff7b72"`,
	green:  `fill="#56d364"`,
	yellow: `fill="#e3b341"`,
	cyan:   `fill="#56d4dd"`,
}

// svg draws what stands on a screen as a window with a title.
func (v *vt) svg(title string) string {
	lines := len(v.lines())
	width, height := 2*margin+cellWidth*float64(v.columns), titleBar+margin+cellHeight*float64(lines)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" rx="8" fill="#0d1117" stroke="#30363d"/>`+"\n", width, height)
	for i, colour := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&b, `<circle cx="%.0f" cy="17" r="5.5" fill="%s"/>`+"\n", 20+float64(i)*19, colour)
	}
	b.WriteString(`<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">` + "\n")
	fmt.Fprintf(&b, `<text x="%.0f" y="22" text-anchor="middle" %s>%s</text>`+"\n", width/2, sgrStyles[dim], html.EscapeString(title))
	for row := range lines {
		v.svgLine(&b, row, titleBar+cellHeight*float64(row))
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// svgLine draws a line: words in as many columns as they have on a terminal,
// whatever font there is, and every other character in the middle of its own.
func (v *vt) svgLine(b *strings.Builder, row int, top float64) {
	cells := v.cells[row]
	for from := 0; from < len(cells); {
		to := from + 1
		for isPlain(cells[from].text) && to < len(cells) && isPlain(cells[to].text) && cells[to].sgr == cells[from].sgr {
			to++
		}
		text := ""
		for _, c := range cells[from:to] {
			text += c.text
		}
		x, style := margin+cellWidth*float64(from), sgrStyles[cells[from].sgr]
		switch shape := barShapes[text]; {
		case isPlain(cells[from].text):
			svgWords(b, text, x, top, style)
		case shape != nil:
			fmt.Fprintln(b, shape(x, top, style))
		case text != "":
			fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" %s>%s</text>`+"\n", x+cellWidth/2, top+baseline, style, html.EscapeString(text))
		}
		from = to
	}
}

// phrases are words with single blanks between them: of several blanks a browser
// makes one.
var phrases = regexp.MustCompile(`[^ ]+(?: [^ ]+)*`)

func svgWords(b *strings.Builder, text string, x, top float64, style string) {
	for _, at := range phrases.FindAllStringIndex(text, -1) {
		words := text[at[0]:at[1]]
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" %s>%s</text>`+"\n",
			x+cellWidth*float64(at[0]), top+baseline, cellWidth*float64(len(words)), style, html.EscapeString(words))
	}
}

func isPlain(text string) bool { return len(text) == 1 }

// barShapes draw the parts of bars, so that they meet without gaps.
var barShapes = map[string]func(x, top float64, style string) string{
	fancy.done: func(x, top float64, style string) string { return dash(x, top, cellWidth, 4, style) },
	fancy.half: func(x, top float64, style string) string { return dash(x, top, cellWidth/2, 4, style) },
	fancy.left: func(x, top float64, style string) string { return dash(x, top, cellWidth, 1.4, style) },
	fancy.guessed: func(x, top float64, style string) string {
		return dash(x+0.6, top, 2, 4, style) + dash(x+3.4, top, 2, 4, style) + dash(x+6.2, top, 2, 4, style)
	},
}

func dash(x, top, width, thick float64, style string) string {
	return fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" %s/>`, x, top+cellHeight/2-thick/2, width+0.05, thick, style)
}
