package progress

import (
	"regexp"
	"time"

	"jobrunner/jobs"
)

// group is a name that a group of a pattern may have.
type group int

const (
	doneGroup group = iota
	totalGroup
	leftGroup
	percentGroup
	labelGroup
	etaGroup
	allGroups
)

var groupNames = [allGroups]string{"done", "total", "left", "percent", "label", "eta"}

// pattern is an expression with named groups.
type pattern struct {
	re     *regexp.Regexp
	places [allGroups][]int // of the groups; several may have one name
}

func newPattern(re *regexp.Regexp) pattern {
	p := pattern{re: re}
	for place, name := range re.SubexpNames() {
		for g, known := range groupNames {
			if name == known {
				p.places[g] = append(p.places[g], place)
			}
		}
	}
	return p
}

// match is what a pattern found in a line.
type match struct {
	p     *pattern
	parts [][]byte
}

func (p *pattern) match(text []byte) (match, bool) {
	parts := p.re.FindSubmatch(text)
	return match{p, parts}, parts != nil
}

// part gives what the group matched; nil if it did not.
func (m *match) part(g group) []byte {
	for _, place := range m.p.places[g] {
		if m.parts[place] != nil {
			return m.parts[place]
		}
	}
	return nil
}

// number gives what the group matched as a number; none if it did not.
func (m *match) number(g group) float64 {
	return number(trim(m.part(g)))
}

// eta gives the time that is left as the line says it; none if it does not.
func (m *match) eta() time.Duration {
	return duration(string(trim(m.part(etaGroup))))
}

// whole is how much there is to do, as a type's pattern has told it.
type whole struct {
	told    float64 // as a group total, or the most that was left; 0 if nothing
	left    float64 // what was left at last
	guessed bool    // told is what was left when the output was no longer at its begin
}

// typeReading reads a line by the type's pattern.
func (d *Detector) typeReading(text []byte) (reading, bool) {
	if d.pattern.re == nil {
		return reading{}, false
	}
	m, ok := d.pattern.match(text)
	if !ok {
		return reading{}, false
	}
	r := reading{source: jobs.ProgressPattern, fraction: d.share(&m), left: m.eta()}
	if label := m.part(labelGroup); label != nil {
		r.text = tidy(label)
	} else {
		r.text = tidy(m.parts[0])
	}
	return r, true
}

// share is how much is done. What there is to do may stand in a line of its own.
func (d *Detector) share(m *match) float64 {
	done, left := m.number(doneGroup), m.number(leftGroup)
	if total := m.number(totalGroup); total > 0 {
		d.whole = whole{told: total}
	} else if left >= 0 && done < 0 {
		d.whole.remain(left, d.gap)
	}
	switch percent := m.number(percentGroup); {
	case percent >= 0:
		return share(percent, 100)
	case done >= 0 && left >= 0:
		return share(done, done+left)
	case done >= 0:
		return share(done, d.whole.told)
	case left >= 0 && !d.whole.guessed:
		return share(d.whole.told-left, d.whole.told)
	}
	return none
}

// remain takes what is left where nothing tells of how much. That is the most
// that ever was; or what is left when it begins anew after it was almost nothing.
// It is not known if the begin of the output was not read.
func (w *whole) remain(left float64, gap bool) {
	switch {
	case w.told == 0:
		*w = whole{told: left, guessed: gap}
	case left > w.told, left > w.left && w.left <= w.told*newPhase:
		*w = whole{told: left}
	}
	w.left = left
}
