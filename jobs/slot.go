package jobs

import (
	"fmt"
	"maps"
	"slices"
)

// SlotPool is a named set of tokens of which jobs take some while they run.
type SlotPool struct {
	Tokens  []string // in the order in which they are given out
	PerSlot int      // jobs that may share one token; at least 1
}

// SlotTable is who holds which tokens and for whom free ones are kept. It is
// asked for one job after the other, in the order in which they are to start.
type SlotTable struct {
	pools map[string]SlotPool
	held  map[string]map[string]int // jobs that hold a token, by slot and token
	kept  map[string]string         // the first job that lacks tokens of a slot
}

// NewSlotTable makes a table of free tokens.
func NewSlotTable(pools map[string]SlotPool) *SlotTable {
	t := &SlotTable{pools: pools, held: map[string]map[string]int{}, kept: map[string]string{}}
	for name := range pools {
		t.held[name] = map[string]int{}
	}
	return t
}

// Hold notes the tokens of a job that runs. Those that are configured no more
// count for nothing.
func (t *SlotTable) Hold(tokens map[string][]string) { t.note(tokens, 1) }

// Release takes back what Hold or Take gave.
func (t *SlotTable) Release(tokens map[string][]string) { t.note(tokens, -1) }

func (t *SlotTable) note(tokens map[string][]string, by int) {
	for name, list := range tokens {
		held := t.held[name]
		if held == nil {
			continue
		}
		for _, token := range list {
			held[token] += by
		}
	}
}

// Take gives a job the first free tokens of each slot, all of them different.
// If it lacks any, it gets none, and the slots that it lacks are kept for it:
// no later job gets tokens of them, or one that needs few would for ever be
// before one that needs many.
func (t *SlotTable) Take(id string, need map[string]int) (tokens map[string][]string, lack SlotLack, ok bool) {
	if !t.has(id, need) {
		t.Reserve(id, need)
		return nil, t.firstLack(id, need), false
	}
	for name, n := range need {
		if n <= 0 {
			continue
		}
		if tokens == nil {
			tokens = map[string][]string{}
		}
		tokens[name] = slices.Clone(t.free(name)[:n])
	}
	t.Hold(tokens)
	maps.DeleteFunc(t.kept, func(_, first string) bool { return first == id })
	return tokens, SlotLack{}, true
}

// has reports whether a job lacks nothing.
func (t *SlotTable) has(id string, need map[string]int) bool {
	for name, n := range need {
		first := t.kept[name]
		if n > 0 && (first != "" && first != id || n > t.count(name)) {
			return false
		}
	}
	return true
}

// count is how many tokens free gives.
func (t *SlotTable) count(name string) (n int) {
	pool, held := t.pools[name], t.held[name]
	for _, token := range pool.Tokens {
		if held[token] < max(pool.PerSlot, 1) {
			n++
		}
	}
	return n
}

// Reserve keeps the slots that a job lacks for it, unless they are kept for an
// earlier one. A job that needs more than there is would keep them for nothing.
func (t *SlotTable) Reserve(id string, need map[string]int) {
	for name, n := range need {
		if n > len(t.pools[name].Tokens) {
			return
		}
	}
	for name, n := range need {
		if n > t.count(name) && t.kept[name] == "" {
			t.kept[name] = id
		}
	}
}

// Forget ends every reservation: the jobs are looked at anew, from the first one on.
func (t *SlotTable) Forget() { clear(t.kept) }

// Lacks says which slots a job waits for, by name, those before that can never
// be enough; none if it can have all that it needs.
func (t *SlotTable) Lacks(id string, need map[string]int) []SlotLack {
	var never, lacks []SlotLack
	for _, name := range slices.Sorted(maps.Keys(need)) {
		switch lack, lacking := t.lack(id, name, need[name]); {
		case lack.Need > lack.All:
			never = append(never, lack)
		case lacking:
			lacks = append(lacks, lack)
		}
	}
	return append(never, lacks...)
}

// lack says what a job lacks of one slot, if it does.
func (t *SlotTable) lack(id, name string, n int) (SlotLack, bool) {
	all, free := len(t.pools[name].Tokens), t.count(name)
	lack := SlotLack{Name: name, Need: n, Taken: all - free, All: all}
	if first := t.kept[name]; n > 0 && n <= free && first != id {
		lack.For = first
	}
	return lack, n > free || lack.For != ""
}

// firstLack is the first of Lacks, of a job that lacks something. It is asked at
// each step of a forecast, and mostly for one slot.
func (t *SlotTable) firstLack(id string, need map[string]int) SlotLack {
	if len(need) > 1 {
		return t.Lacks(id, need)[0]
	}
	for name, n := range need {
		lack, _ := t.lack(id, name, n)
		return lack
	}
	return SlotLack{}
}

// free lists the tokens of a slot that a further job can have, in their order.
func (t *SlotTable) free(name string) []string {
	pool, held := t.pools[name], t.held[name]
	var free []string
	for _, token := range pool.Tokens {
		if held[token] < max(pool.PerSlot, 1) {
			free = append(free, token)
		}
	}
	return free
}

// SlotLack is a slot of which a job cannot have as many tokens as it needs.
type SlotLack struct {
	Name  string
	Need  int
	Taken int    // tokens that no further job can have
	All   int    // tokens that are configured
	For   string // the earlier job that the free ones are kept for; "" if there are too few
}

// String is the reason of the job that waits.
func (l SlotLack) String() string {
	switch {
	case l.Need > l.All:
		return fmt.Sprintf("slot %s: %d needed, %d configured", l.Name, l.Need, l.All)
	case l.For != "":
		return fmt.Sprintf("slot %s: kept for %s", l.Name, shortID(l.For))
	case l.Taken < l.All:
		return fmt.Sprintf("slot %s: %d of %d taken, %d needed", l.Name, l.Taken, l.All, l.Need)
	}
	return fmt.Sprintf("slot %s: %d of %d taken", l.Name, l.Taken, l.All)
}
