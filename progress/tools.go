package progress

import (
	"bytes"
	"fmt"
	"regexp"
)

// tool is how a tool's lines look. The groups of its pattern are named as those
// of a type's pattern.
type tool struct {
	name string
	sign string            // what every such line holds: the pattern is tried only then
	head func([]byte) bool // how every such line begins; nil: in many ways
	pattern
	step  bool                               // the label is what is done just now, and changes from line to line
	weak  bool                               // other lines look like that, too: it counts once it has grown
	judge func(*scan, *match, *finding) bool // looks closer; false: it is none. nil: as the pattern says
}

func expect(name, sign, expression string) tool {
	return tool{name: name, sign: sign, pattern: newPattern(regexp.MustCompile(expression))}
}

func (t tool) begins(as func([]byte) bool) tool { t.head = as; return t }

func (t tool) steps() tool { t.step = true; return t }

func (t tool) doubted() tool { t.weak = true; return t }

func (t tool) judged(by func(*scan, *match, *finding) bool) tool { t.judge = by; return t }

// withRatio and withNumber are ways in which lines begin: "12/60 ", "12 ".
func withRatio(text []byte) bool {
	i := digitsEnd(text, 0)
	if i == 0 || i == len(text) || text[i] != '/' {
		return false
	}
	end := digitsEnd(text, i+1)
	return end > i+1 && end < len(text) && text[end] == ' '
}

// digitsEnd gives the end of the digits at i.
func digitsEnd(text []byte, i int) int {
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}

func withNumber(text []byte) bool {
	i := bytes.IndexByte(text[:min(len(text), 4)], ' ')
	return i > 0 && isDigit(text[i-1])
}

// tools looks for what a known tool writes. Of a part of a line no label at its
// end is taken.
func (s *scan) tools(known []tool, text []byte, part bool) (finding, bool) {
	for i := range known {
		t := &known[i]
		if part && t.step || t.head != nil && !t.head(text) || !bytes.Contains(text, []byte(t.sign)) {
			continue
		}
		m, ok := t.match(text)
		if !ok {
			continue
		}
		if f := t.finding(&m); t.judge == nil || t.judge(s, &m, &f) {
			return f, true
		}
	}
	return finding{}, false
}

// finding makes of a match what is known of a bar.
func (t *tool) finding(m *match) finding {
	f := finding{weak: t.weak}
	f.source = t.name
	f.left = m.eta()
	f.fraction = share(m.number(percentGroup), 100)
	label := tidy(bytes.TrimRight(m.part(labelGroup), ": "))
	if !t.step {
		f.label = label
	}
	f.text = label
	done, total := m.part(doneGroup), m.part(totalGroup)
	if done == nil || total == nil {
		f.text = tidy([]byte(label + " " + string(done)))
		return f
	}
	if exact := share(number(done), number(total)); exact >= 0 {
		f.fraction = exact
	}
	f.total = string(total)
	f.counts = string(done) + "/" + f.total
	if t.step {
		f.moves = true
		f.text = tidy([]byte(f.counts + " " + label))
		return f
	}
	f.text = tidy([]byte(label + " " + f.counts))
	return f
}

// judgeKeras leaves out the time behind a full bar: that is how long it took.
func judgeKeras(_ *scan, _ *match, f *finding) bool {
	if f.fraction >= 1 {
		f.left = none
	}
	return true
}

// judgeJoblib leaves out lines in which as many are done as were handed out so
// far. That is no end, as long as it does not say so.
func judgeJoblib(_ *scan, m *match, f *finding) bool {
	f.label, f.text = "", tidy([]byte(f.counts))
	return f.fraction < 1 || m.part(labelGroup) != nil
}

// rsync counts in two ways. With --progress it counts to 100 for each file, and
// says then how many files are left to be checked; with --info=progress2 it
// counts once.
type rsync struct {
	each        bool // it counts for each file
	done, total float64
}

func judgeRsync(s *scan, m *match, f *finding) bool {
	r := &s.rsync
	left, total := m.number(leftGroup), m.number(totalGroup)
	f.total, f.text = "", ""
	if left >= 0 && total > 0 {
		r.each = f.fraction == 1 && (left > 0 || r.each)
		r.done, r.total = total-left, total
		f.left = none // what stands there then is how long it took
		if r.each {
			f.fraction = share(r.done, r.total)
		}
	} else if r.each {
		f.fraction = share(r.done+f.fraction, r.total)
		f.left = none
	}
	if r.each {
		f.text = fmt.Sprintf("%.0f/%.0f files", r.done, r.total)
	}
	return true
}
