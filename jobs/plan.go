package jobs

import (
	"fmt"
	"strconv"

	"github.com/google/uuid"
)

// Entries makes of what a file or a line asks for what Queue.Accept takes:
// sweeps are spread out, each request is held against the types, names of
// earlier documents become ids. id gives the id of the n-th item's job where
// it bears none, the same whenever it is asked; sweeps derive theirs from it.
// bad are the items that cannot be taken, each with its Fault, the first ones
// if there are many; entries are of use only if there are none.
func (c *Catalog) Entries(items []Item, id func(n int) string) (entries []Entry, bad []Item) {
	p := &plan{examiner: c.examiner(), items: items, asks: make([]ask, len(items))}
	for n, it := range items {
		if it.Request != nil {
			p.asks[n].id = it.Request.ID
			if p.asks[n].id == "" {
				p.asks[n].id = id(n)
			}
			if f := p.bound(n, it.Request); f != nil {
				p.refuse(n, f)
				return nil, p.bad
			}
		}
	}
	for n := range items {
		f := p.take(n)
		if f == nil {
			f = p.crowd(n)
		}
		if f != nil {
			if p.refuse(n, f); len(p.bad) == maxBad {
				return nil, p.bad
			}
		}
	}
	if len(p.bad) == 0 {
		p.order()
	}
	if len(p.bad) > 0 {
		return nil, p.bad
	}
	for n, it := range items {
		if it.Command != nil {
			entries = append(entries, Entry{Command: it.Command})
		}
		entries = append(entries, p.asks[n].entries...)
	}
	return entries, nil
}

// maxBad is how many faulty items of a file are looked for: more than anybody
// is told of, and few enough that hints for them cost nothing.
const maxBad = 100

// plan is the work of one call of Entries.
type plan struct {
	*examiner
	items []Item
	asks  []ask // one an item
	bad   []Item

	swept, sweptBytes, waits int // what the sweeps come to

	pending int // jobs that are to wait
}

// ask is what a Request of the plan comes to.
type ask struct {
	id      string  // of its job, or that its sweep derives its own from
	sweep   *sweep  // nil if it is none
	group   string  // id of its sweep; "" if it is none
	entries []Entry // a sweep has many
}

// refuse notes that the n-th item cannot be taken.
func (p *plan) refuse(n int, f *Fault) {
	it := p.items[n]
	it.Request, it.Command, it.Fault = nil, nil, f
	p.bad = append(p.bad, it)
}

// take makes the entries of the n-th item, but for what they wait for.
func (p *plan) take(n int) *Fault {
	switch it := p.items[n]; {
	case it.Fault != nil:
		return it.Fault
	case it.Command != nil:
		return p.known(it.Command)
	case it.Request == nil:
		return nil
	case p.asks[n].sweep != nil:
		return p.sweep(n, it.Request)
	default:
		e, f := p.entry(it.Request)
		if f == nil {
			e.Job.ID = p.asks[n].id
			p.asks[n].entries = []Entry{e}
		}
		return f
	}
}

// crowd refuses the request with which a file, or a line, asks for more jobs
// than may ever wait.
func (p *plan) crowd(n int) *Fault {
	for _, e := range p.asks[n].entries {
		if e.Job.State == Pending {
			p.pending++
		}
	}
	if p.MaxPending == 0 || p.pending <= p.MaxPending || p.items[n].Request == nil {
		return nil
	}
	f := &Fault{Message: fmt.Sprintf("more than %d jobs are asked for at once, and no more may wait (max_pending)", p.MaxPending),
		Hint: "ask for fewer at once, or raise max_pending"}
	return p.items[n].Request.place(f, "foreach")
}

// known refuses to pause a type that there is none of. To resume one is
// harmless, and may be needed for a type that is gone.
func (p *plan) known(c *Command) *Fault {
	if c.Action != Pause || c.Type == "" || p.Types[c.Type] != nil {
		return nil
	}
	f := p.unknownType(c.Type)
	return c.At.Fault(f.Message, f.Hint)
}

func (p *plan) entry(r *Request) (Entry, *Fault) {
	j, r, f := p.resolve(r)
	if f != nil {
		return Entry{}, f
	}
	return Entry{Job: j, Duplicate: r.OnDuplicate}, nil
}

// sweep makes the jobs of a request with foreach.
func (p *plan) sweep(n int, r *Request) *Fault {
	a := &p.asks[n]
	item, err := uuid.Parse(a.id)
	if err != nil {
		item = uuid.NewSHA1(uuid.Nil, []byte(a.id))
	}
	group := item
	if r.ID == "" {
		group = uuid.NewSHA1(item, []byte("group"))
	}
	a.group, a.entries = group.String(), make([]Entry, a.sweep.size)
	keys := map[string]bool{}
	for i := range a.entries {
		e, f := p.entry(a.sweep.request(i))
		if f != nil {
			a.entries = nil
			return f
		}
		if key := e.Job.UniqueKey; key != "" && keys[key] {
			f := &Fault{Message: "several jobs of the sweep have the unique_key " + shown(key), Hint: "put a word of foreach into it, such as {" + r.Foreach[0].Name + "}"}
			return r.place(f, "unique_key")
		}
		keys[e.Job.UniqueKey] = true
		e.Job.ID, e.Job.Group = uuid.NewSHA1(group, []byte(strconv.Itoa(i))).String(), a.group
		a.entries[i] = e
	}
	return nil
}

const longTexts = "keep long texts in a file that the jobs read"

// bound refuses a sweep that would make too much, together with those before
// it. It is asked of all of them before the first one is spread out.
func (p *plan) bound(n int, r *Request) *Fault {
	if len(r.Foreach) == 0 {
		return nil
	}
	s := newSweep(r)
	p.asks[n].sweep = s
	p.swept += s.size
	p.sweptBytes += s.bytes
	p.waits += s.size * (len(r.After) + len(r.AfterAny))
	switch {
	case p.swept > maxFileSweeps:
		f := &Fault{Message: fmt.Sprintf("the sweeps of this file make more than %d jobs", maxFileSweeps), Hint: "spread them over several files"}
		return r.place(f, "foreach")
	case s.most > maxSweptJob:
		f := &Fault{Message: fmt.Sprintf("a job of the sweep holds more than %d MiB", maxSweptJob>>20), Hint: longTexts}
		return r.place(f, "foreach")
	case p.sweptBytes > maxSweepBytes:
		f := &Fault{Message: fmt.Sprintf("the jobs of the sweeps of this file hold more than %d MiB", maxSweepBytes>>20), Hint: longTexts}
		return r.place(f, "foreach")
	case p.waits > maxWaits:
		f := &Fault{Message: fmt.Sprintf("the jobs wait for more than %d others in all", maxWaits),
			Hint: "let one job wait for all of them, and the others for that one"}
		return r.place(f, "after", "after_any")
	}
	return nil
}
