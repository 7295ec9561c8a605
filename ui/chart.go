package ui

import (
	"html/template"
	"math"
	"strconv"
	"strings"
)

// chart is a picture of numbers, side by side from the oldest to the newest. A
// page shows it as {{.SVG}}, or as the part "chart" with a heading. It has no
// text but its label: what matters of it stands beside it in words, and where
// single numbers matter a table has them.
type chart struct {
	Label  string  // what it shows, for who does not see it
	Height int     // of the drawing's own units, of which a value has slotWidth; a page stretches both
	Top    float64 // value at its upper edge; 0 means the largest that there is
	Layers []layer // the first one lies below the others
}

// layer is one row of numbers of a chart.
type layer struct {
	Shape  shape
	Class  string    // colour: c-run, c-wait, c-ok, c-bad, c-off
	Values []float64 // NaN where nothing is known; of all layers equally many
}

// shape is how a layer is drawn.
type shape int

const (
	bars  shape = iota // columns; of several such layers each stands on the one before
	area               // stepped, filled down to the ground
	curve              // a line from value to value
	dots               // a dot for each value
)

// slotWidth is how wide a value is, and barWidth how wide its column.
const (
	slotWidth = 4
	barWidth  = 3
)

// SVG draws the chart. Nothing of it comes from elsewhere but the label, which
// is escaped.
func (c chart) SVG() template.HTML {
	n := 0
	for _, l := range c.Layers {
		n = max(n, len(l.Values))
	}
	top := c.Top
	if top == 0 {
		top = c.largest(n)
	}
	d := drawing{height: float64(c.Height), top: top, ground: make([]float64, n)}
	d.WriteString(`<svg class="plot" role="img" viewBox="0 0 ` + strconv.Itoa(max(1, n)*slotWidth) + " " + strconv.Itoa(c.Height) +
		`" preserveAspectRatio="none"><title>` + template.HTMLEscapeString(c.Label) + "</title>")
	for _, l := range c.Layers {
		d.layer(l)
	}
	d.WriteString("</svg>")
	return template.HTML(d.String())
}

// largest is the highest point of all layers, 1 if there is none above 0.
func (c chart) largest(n int) float64 {
	top, stacked := 0.0, make([]float64, n)
	for _, l := range c.Layers {
		for i, v := range l.Values {
			if math.IsNaN(v) {
				continue
			}
			if l.Shape == bars {
				stacked[i] += v
				v = stacked[i]
			}
			top = max(top, v)
		}
	}
	if top <= 0 {
		return 1
	}
	return top
}

// drawing is the SVG on its way: one path a layer, which is a tenth of what an
// element for each value takes.
type drawing struct {
	strings.Builder
	height, top float64
	ground      []float64 // on which the next bars stand
}

func (d *drawing) layer(l layer) {
	kind := map[shape]string{bars: "bars", area: "area", curve: "curve", dots: "dots"}[l.Shape]
	d.WriteString(`<path class="` + kind + " " + template.HTMLEscapeString(l.Class) + `" d="`)
	if l.Shape == area {
		d.steps(l.Values)
		l.Values = nil
	}
	known := false // the value before
	for i, v := range l.Values {
		if math.IsNaN(v) {
			known = false
			continue
		}
		switch x := float64(i * slotWidth); l.Shape {
		case bars:
			d.bar(i, v)
		case curve:
			d.put(map[bool]string{false: "M", true: "L"}[known], x+slotWidth/2, d.y(v))
		case dots:
			d.put("M", x+slotWidth/2, d.y(v))
			d.WriteString("h0")
		}
		known = true
	}
	d.WriteString(`"/>`)
}

// steps draws stretches of equal values, down to the ground at both ends and where
// nothing is known.
func (d *drawing) steps(values []float64) {
	open := false
	for i := 0; i < len(values); {
		n := 1
		for i+n < len(values) && values[i+n] == values[i] {
			n++
		}
		known := !math.IsNaN(values[i])
		if known && !open {
			d.put("M", float64(i*slotWidth), d.height)
		}
		if known {
			d.put("V", d.y(values[i]))
			d.put("h", float64(n*slotWidth))
		}
		if i += n; known && (i == len(values) || math.IsNaN(values[i])) {
			d.put("V", d.height)
			d.WriteString("Z")
		}
		open = known
	}
}

// bar draws a column; what is there at all is seen, be it ever so little.
func (d *drawing) bar(i int, v float64) {
	if v <= 0 {
		return
	}
	bottom := d.y(d.ground[i])
	d.ground[i] += v
	high := max(1, bottom-d.y(d.ground[i]))
	d.put("M", float64(i*slotWidth), bottom)
	d.put("v", -high)
	d.put("h", barWidth)
	d.put("v", high)
	d.WriteString("z")
}

// y is where a value lies; the upper edge is 0.
func (d *drawing) y(v float64) float64 {
	return d.height * (1 - min(1, max(0, v/d.top)))
}

// put writes a command of a path.
func (d *drawing) put(command string, numbers ...float64) {
	d.WriteString(command)
	for i, v := range numbers {
		if i > 0 {
			d.WriteByte(' ')
		}
		d.WriteString(strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64))
	}
}

// chartView is a chart under its heading, for the part "chart".
type chartView struct {
	Name   string // "Waiting"
	Figure string // what matters of it most: "14 now"
	Note   string // what else there is to say; "" if nothing
	From   string // what its left edge is, "24 h ago"; "" says nothing of time
	Chart  chart
}
