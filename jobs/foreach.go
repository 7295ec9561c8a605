package jobs

import (
	"fmt"
	"maps"
	"strings"
)

// Limits of what sweeps may make.
const (
	MaxSweep      = 10_000   // jobs of one request
	maxFileSweeps = 50_000   // jobs of all sweeps of a file
	maxSweepBytes = 64 << 20 // what all of them hold
	maxSweptJob   = 1 << 20  // what one of them holds
	maxAxisName   = 64       // letters

	// What an argument or a name with its value takes beside its text. Many
	// empty ones are not nothing.
	argBytes      = 16
	pairBytes     = 64
	axisNameWords = "a name of letters, digits, _, - and ., with a letter or _ first"
)

func readForeach(r *Request, v value) *Fault {
	pairs, f := v.pairs()
	if f != nil {
		return f
	}
	if len(pairs) == 0 {
		return v.fault("foreach has no keys", "write foreach: {lr: [0.1, 0.01]}")
	}
	jobs := 1
	for _, p := range pairs {
		if !isAxisName(p.name) {
			return p.keyFault("foreach: "+shown(p.name)+" must be "+axisNameWords, "")
		}
		axis := Axis{Name: p.name}
		p.name = "foreach." + axis.Name
		if axis.Values, f = p.list(p.name+": value", "write "+axis.Name+": [0.1, 0.01]"); f != nil {
			return f
		}
		if len(axis.Values) == 0 {
			return p.fault(p.name+" is empty", "write at least one value")
		}
		// Within an int: neither factor is much more than a file has bytes.
		if jobs *= len(axis.Values); jobs > MaxSweep {
			return v.fault(fmt.Sprintf("foreach makes more than %d jobs", MaxSweep), "split it into several requests")
		}
		r.Foreach = append(r.Foreach, axis)
		r.marks[p.name] = Position{File: v.file, Line: p.key.Line, Column: p.key.Column}
	}
	return nil
}

func isAxisName(name string) bool {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return name != "" && len(name) <= maxAxisName
}

// checkAxes refuses a key of foreach that no text of the request holds: its
// jobs would be the same.
func (r *Request) checkAxes() *Fault {
	if len(r.Foreach) == 0 {
		return nil
	}
	axes := r.axisIndex()
	used := make([]bool, len(r.Foreach))
	r.eachText(func(text string) string {
		for _, p := range cutAxes(text, axes) {
			if p.axis >= 0 {
				used[p.axis] = true
			}
		}
		return text
	})
	for i, axis := range r.Foreach {
		if !used[i] {
			f := &Fault{
				Message: fmt.Sprintf("{%s} of foreach stands nowhere in the request", axis.Name),
				Hint:    fmt.Sprintf("put {%s} into args, params, env, name, labels, unique_key or workdir", axis.Name),
			}
			return r.place(f, "foreach."+axis.Name)
		}
	}
	return nil
}

func (r *Request) axisIndex() map[string]int {
	axes := make(map[string]int, len(r.Foreach))
	for i, axis := range r.Foreach {
		axes[axis.Name] = i
	}
	return axes
}

// eachText replaces each text of the request that may hold placeholders of
// foreach. Maps and lists are made anew, so that a copy of a Request can be
// changed by it.
func (r *Request) eachText(change func(string) string) {
	args := make([]string, len(r.Args))
	for i, arg := range r.Args {
		args[i] = change(arg)
	}
	if r.Args != nil {
		r.Args = args
	}
	for _, table := range []*map[string]string{&r.Env, &r.Params, &r.Labels} {
		*table = maps.Clone(*table)
		for key, text := range *table {
			(*table)[key] = change(text)
		}
	}
	for _, text := range []*string{&r.Name, &r.UniqueKey, &r.Workdir} {
		*text = change(*text)
	}
}

// part is a piece of a text: a literal one, or the place of an axis' value.
type part struct {
	text string
	axis int // index in Request.Foreach; -1 for a literal text
}

// cutAxes takes a text apart at its placeholders. Braces around any other word
// stay as they are.
func cutAxes(text string, axes map[string]int) []part {
	var parts []part
	rest, from := text, 0
	for {
		open := strings.IndexByte(rest[from:], '{')
		if open < 0 {
			break
		}
		open += from
		end := strings.IndexByte(rest[open:min(len(rest), open+maxAxisName+2)], '}')
		axis, ok := -1, false
		if end > 0 {
			axis, ok = axes[rest[open+1:open+end]]
		}
		if !ok {
			from = open + 1
			continue
		}
		parts = append(parts, part{rest[:open], -1}, part{"", axis})
		rest, from = rest[open+end+1:], 0
	}
	return append(parts, part{rest, -1})
}

// sweep spreads a request out over the values of its foreach.
type sweep struct {
	r     *Request
	axes  map[string]int
	parts map[string][]part // of each text that a job of it has
	size  int               // how many jobs it makes
	bytes int               // how much they hold together
	most  int               // bytes that its largest job may hold
}

func newSweep(r *Request) *sweep {
	s := &sweep{r: r, axes: r.axisIndex(), parts: map[string][]part{}, size: 1}
	values, longest := make([]int, len(r.Foreach)), make([]int, len(r.Foreach)) // bytes of an axis' values
	for i, axis := range r.Foreach {
		s.size *= len(axis.Values)
		for _, v := range axis.Values {
			values[i] += len(v)
			longest[i] = max(longest[i], len(v))
		}
	}
	fixed := argBytes * len(r.Args)
	for _, table := range []map[string]string{r.Env, r.Params, r.Labels} {
		for key := range table {
			fixed += len(key) + pairBytes
		}
	}
	r.eachText(func(text string) string {
		parts, known := s.parts[text]
		if !known {
			parts = cutAxes(text, s.axes)
			s.parts[text] = parts
		}
		for _, p := range parts {
			if fixed += len(p.text); p.axis >= 0 {
				s.bytes += values[p.axis] * (s.size / len(r.Foreach[p.axis].Values))
				s.most += longest[p.axis]
			}
		}
		return text
	})
	s.bytes += fixed * s.size
	s.most += fixed
	return s
}

// request gives what the n-th job of the sweep is asked to be; the first key
// of foreach changes slowest.
func (s *sweep) request(n int) *Request {
	values := make([]string, len(s.r.Foreach))
	for i := len(values) - 1; i >= 0; i-- {
		list := s.r.Foreach[i].Values
		values[i], n = list[n%len(list)], n/len(list)
	}
	r := *s.r
	r.ID, r.Spelling, r.Foreach = "", "", nil
	r.eachText(func(text string) string {
		parts := s.parts[text]
		if len(parts) == 1 {
			return text
		}
		var b strings.Builder
		for _, p := range parts {
			if p.axis >= 0 {
				p.text = values[p.axis]
			}
			b.WriteString(p.text)
		}
		return b.String()
	})
	return &r
}
