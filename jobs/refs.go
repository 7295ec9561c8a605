package jobs

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// order makes Waits of what the requests of a plan name in after and
// after_any, and refuses those that wait for themselves or for each other.
func (p *plan) order() {
	r := newReferences(p)
	after, before := make([][]int, len(p.items)), make([][]int, len(p.items))
	marks := map[[2]int]Position{} // where an item names another
	for n, it := range p.items {
		if it.Request == nil {
			continue
		}
		waits, on, f := r.waits(n, it.Request)
		if f != nil {
			if p.refuse(n, f); len(p.bad) == maxBad {
				return
			}
		}
		for i, m := range on {
			if m >= 0 {
				after[n], before[m] = append(after[n], m), append(before[m], n)
				marks[[2]int{n, m}] = waits[i].At
			}
		}
		for i := range p.asks[n].entries {
			p.asks[n].entries[i].Waits = waits
		}
		if name := it.Request.Name; name != "" {
			r.names[name] = append(r.names[name], n)
		}
	}
	if len(p.bad) == 0 {
		p.refuseCircles(after, before, marks)
	}
}

// references finds what the items of one file call each other.
type references struct {
	*plan
	names map[string][]int // items before the one at hand, by name
	ids   map[string]int   // the item of each id of a job or sweep
	all   []string         // those ids, sorted
}

func newReferences(p *plan) *references {
	r := &references{plan: p, names: map[string][]int{}, ids: map[string]int{}}
	add := func(id string, n int) {
		if _, twice := r.ids[id]; !twice {
			r.ids[id] = n
			r.all = append(r.all, id)
		}
	}
	for n, a := range p.asks {
		if a.group != "" {
			add(a.group, n)
		}
		for _, e := range a.entries {
			add(e.Job.ID, n)
		}
	}
	sort.Strings(r.all)
	return r
}

// waits resolves what the n-th item, r, waits for, each once. on are the items
// of the same file that bear the ids, -1 for others.
func (s *references) waits(n int, r *Request) (waits []Wait, on []int, f *Fault) {
	seen := map[Wait]bool{}
	for _, list := range []struct {
		key  string
		refs []Ref
		any  bool
	}{{"after", r.After, false}, {"after_any", r.AfterAny, true}} {
		for _, ref := range list.refs {
			id, m, f := s.find(n, ref, list.key)
			if f != nil {
				return nil, nil, f
			}
			if m == n {
				return nil, nil, itself(ref)
			}
			w := Wait{On: id, Any: list.any}
			if !seen[w] {
				seen[w] = true
				w.At = ref.At
				waits, on = append(waits, w), append(on, m)
			}
		}
	}
	return waits, on, nil
}

func itself(ref Ref) *Fault { return ref.At.Fault("a job cannot wait for itself", "") }

// find gives the id that ref, of the n-th item, stands for, and the item of
// the same file that bears it, or -1.
func (s *references) find(n int, ref Ref, key string) (id string, m int, f *Fault) {
	if named := s.names[ref.Text]; len(named) > 1 {
		return "", 0, ref.At.Fault(fmt.Sprintf("%s: %d earlier documents have the name %s", key, len(named), shown(ref.Text)), "give each a name of its own")
	} else if len(named) == 1 {
		return s.whole(named[0]), named[0], nil
	}
	if len(ref.Text) < minPrefix || !isIDPrefix(ref.Text) {
		return "", 0, s.unknown(n, ref, key)
	}
	id = strings.ToLower(ref.Text)
	if m, ok := s.ids[id]; ok {
		return id, m, nil
	}
	from := sort.SearchStrings(s.all, id)
	to := from + sort.SearchStrings(s.all[from:], pastPrefix(id))
	switch to - from {
	case 0:
		return id, -1, nil
	case 1:
		return s.all[from], s.ids[s.all[from]], nil
	}
	return "", 0, ref.At.Fault(fmt.Sprintf("%s: %s fits several jobs of this file", key, shown(ref.Text)), "give the whole id")
}

// whole is the id of all that the n-th item makes.
func (s *references) whole(n int) string {
	if s.asks[n].group != "" {
		return s.asks[n].group
	}
	return s.asks[n].id
}

// unknown words that the n-th item names nothing.
func (s *references) unknown(n int, ref Ref, key string) *Fault {
	if s.items[n].Request.Name == ref.Text {
		return itself(ref)
	}
	for _, it := range s.items[n+1:] {
		if it.Request != nil && it.Request.Name == ref.Text {
			return ref.At.Fault(fmt.Sprintf("%s: no earlier document has the name %s", key, shown(ref.Text)), "a later one has: put that one first")
		}
	}
	const enough = 1000 // names to look at; a hint is not worth more
	names := make([]string, 0, min(len(s.names), enough))
	for name := range s.names {
		if names = append(names, name); len(names) == enough {
			break
		}
	}
	slices.Sort(names)
	hint := "give an id, or at least its first 8 letters"
	if near := Match(ref.Text, names); near != "" {
		hint = "did you mean " + shown(near) + "?"
	}
	return ref.At.Fault(fmt.Sprintf("%s: %s is no id, and no earlier document has that name", key, shown(ref.Text)), hint)
}

// refuseCircles refuses the items that wait for each other.
func (p *plan) refuseCircles(after, before [][]int, marks map[[2]int]Position) {
	left := make([]bool, len(after))
	for n := range left {
		left[n] = true
	}
	trim(left, after, before)
	trim(left, before, after)
	next := func(n int) int {
		return after[n][slices.IndexFunc(after[n], func(m int) bool { return left[m] })]
	}
	for n := range p.items {
		if left[n] && len(p.bad) < maxBad {
			p.refuse(n, marks[[2]int{n, next(n)}].Fault("jobs wait for each other: "+p.circle(n, next), ""))
		}
	}
}

// circle words the way from the n-th item round to itself, or its beginning.
func (p *plan) circle(n int, next func(int) int) string {
	const most = 4
	path, m := p.called(n), next(n)
	for i := 1; i < most && m != n; i, m = i+1, next(m) {
		path += " after " + p.called(m)
	}
	if m != n {
		return path + " after " + ellipsis
	}
	return path + " after " + p.called(n)
}

// called names an item as a person finds it in the file.
func (p *plan) called(n int) string {
	r := p.items[n].Request
	name := shortID(p.asks[n].id)
	if r.Name != "" {
		name = shown(r.Name)
	}
	return fmt.Sprintf("%s (line %d)", name, r.At.Line)
}
