package progress

import (
	"regexp"
	"time"

	"jobrunner/jobs"
)

// groups are the places of a pattern's named groups, -1 for those it has not.
type groups struct{ done, total, left, percent, label, eta int }

func groupsOf(re *regexp.Regexp) groups {
	return groups{
		re.SubexpIndex("done"), re.SubexpIndex("total"), re.SubexpIndex("left"),
		re.SubexpIndex("percent"), re.SubexpIndex("label"), re.SubexpIndex("eta"),
	}
}

// match is what a pattern found.
type match struct {
	groups
	parts [][]byte
}

// part gives what a group matched; nil if it did not.
func (m *match) part(group int) []byte {
	if group < 0 {
		return nil
	}
	return m.parts[group]
}

func (m *match) number(group int) float64 {
	if part := m.part(group); part != nil {
		return number(trim(part))
	}
	return none
}

// eta gives the time that is left as the line says it; none if it does not.
func (m *match) eta() time.Duration {
	return duration(string(m.part(m.groups.eta)))
}

// total is what a type's pattern has told of how much there is to do.
type total float64

// patternReading reads a line by the type's pattern.
func (d *Detector) patternReading(text []byte) (reading, bool) {
	if d.rule.Pattern == nil {
		return reading{}, false
	}
	parts := d.rule.Pattern.FindSubmatch(text)
	if parts == nil {
		return reading{}, false
	}
	m := &match{d.groups, parts}
	r := reading{source: jobs.ProgressPattern, fraction: d.total.fraction(m), left: m.eta()}
	r.text = tidy(string(parts[0]))
	if label := m.part(m.label); label != nil {
		r.text = tidy(string(label))
	}
	return r, true
}

// fraction is how much is done. What there is to do may stand in a line of its
// own; where only what is left is told, it is the most that was.
func (t *total) fraction(m *match) float64 {
	done, left := m.number(m.done), m.number(m.left)
	if n := m.number(m.total); n > 0 {
		*t = total(n)
	} else if left > float64(*t) && done < 0 {
		*t = total(left)
	}
	switch percent := m.number(m.percent); {
	case percent >= 0:
		return share(percent, 100)
	case done >= 0 && left >= 0:
		return share(done, done+left)
	case done >= 0:
		return share(done, float64(*t))
	case left >= 0:
		return share(float64(*t)-left, float64(*t))
	}
	return none
}
