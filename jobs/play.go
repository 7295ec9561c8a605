package jobs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// play runs through the starts and ends to come as they are likely to be: each
// job takes as long as the median of those of its type before it.
type play struct {
	catalog *Catalog
	now     time.Time
	lines   []*line
	took    map[string][]time.Duration // of earlier jobs by type, shortest first
	left    map[string]time.Duration   // what is known better of jobs that run, by id

	running map[string]int
	total   int
	slots   *SlotTable
	ends    []finish            // of what runs, the next one first
	used    []string            // types whose run times count
	unknown map[string]struct{} // types that run and of which no run time is known
}

// line is the jobs of a type that wait, the first one first.
type line struct {
	typ     *Type
	turns   []turn
	blocked bool // its first job cannot start before something ends
}

// turn is a job's place in the order of starts.
type turn struct {
	priority int
	seq      int64
}

// before reports whether t comes before the job of that priority and Seq.
func (t turn) before(priority int, seq int64) bool {
	return t.priority > priority || t.priority == priority && t.seq < seq
}

// finish is the likely end of a job.
type finish struct {
	at     time.Time
	typ    string
	tokens map[string][]string
}

func newPlay(c *Catalog, now time.Time) *play {
	return &play{catalog: c, now: now, took: map[string][]time.Duration{}, running: map[string]int{},
		slots: NewSlotTable(c.Slots), unknown: map[string]struct{}{}}
}

// run puts a RUNNING job on the scene.
func (p *play) run(j *Job) {
	limit := j.Timeout
	if t := p.catalog.Types[j.Type]; t != nil && limit == 0 {
		limit = t.Timeout
	}
	elapsed := max(0, p.now.Sub(j.StartedAt))
	left, known := remaining(p.took[j.Type], elapsed)
	if told, ok := p.left[j.ID]; ok {
		left, known = told, true
	}
	if limit > 0 {
		left = max(0, min(left, limit-elapsed))
	}
	if j.EndReason != "" {
		left, known = 0, true
	}
	p.slots.Hold(j.Slots)
	p.begin(j.Type, p.now.Add(left), known, j.Slots)
}

// begin notes that a job runs, and until when if that is known.
func (p *play) begin(name string, end time.Time, known bool, tokens map[string][]string) {
	p.running[name]++
	p.total++
	if !known {
		p.unknown[name] = struct{}{}
		return
	}
	f := finish{at: end, typ: name, tokens: tokens}
	i, _ := slices.BinarySearchFunc(p.ends, f, func(a, b finish) int { return a.at.Compare(b.at) })
	p.ends = slices.Insert(p.ends, i, f)
}

// remaining is how much longer a job will run that has run for that long: as
// long as the median of those that ran longer. took is sorted.
func remaining(took []time.Duration, elapsed time.Duration) (time.Duration, bool) {
	if len(took) == 0 {
		return 0, false
	}
	i, _ := slices.BinarySearch(took, elapsed)
	if i == len(took) {
		return elapsed / 10, true // none ran longer
	}
	return percentile(took[i:], 50) - elapsed, true
}

// start says when the last job of the lines starts, and on what that rests. No
// time is given if it waits for the end of jobs of which nothing is known.
func (p *play) start(j *Job) (time.Time, string) {
	clock := p.now
	for !p.fill(clock, func(next turn) bool { return next.seq == j.Seq }) {
		if len(p.ends) == 0 {
			return time.Time{}, p.missing()
		}
		clock = p.next()
	}
	if j.Due.After(clock) {
		return j.Due, dueWords(j, p.now)
	}
	return clock, p.basis()
}

// next ends what ends next, and gives when that is.
func (p *play) next() time.Time {
	clock := p.ends[0].at
	for len(p.ends) > 0 && !p.ends[0].at.After(clock) {
		p.end(p.ends[0])
		p.ends = p.ends[1:]
	}
	return clock
}

func (p *play) end(f finish) {
	p.running[f.typ]--
	p.total--
	p.slots.Release(f.tokens)
	if !slices.Contains(p.used, f.typ) {
		p.used = append(p.used, f.typ)
	}
}

// fill starts what there is room for, in order, until enough says of one that it
// need not be started any more; it reports whether it did.
func (p *play) fill(clock time.Time, enough func(turn) bool) bool {
	p.slots.Forget()
	for _, l := range p.lines {
		l.blocked = false
	}
	for {
		l := p.first()
		if l == nil || p.catalog.MaxConcurrent > 0 && p.total >= p.catalog.MaxConcurrent {
			return false
		}
		t, next := l.typ, l.turns[0]
		if t.MaxConcurrent > 0 && p.running[t.Name] >= t.MaxConcurrent {
			l.blocked = true
			continue
		}
		tokens, lack, ok := p.slots.Take(strconv.FormatInt(next.seq, 10), t.Slots)
		if !ok {
			l.blocked = true
			p.block(lack.Name)
			continue
		}
		if enough(next) {
			return true
		}
		l.turns = l.turns[1:]
		took := p.took[t.Name]
		p.begin(t.Name, clock.Add(percentile(took, 50)), len(took) > 0, tokens)
	}
}

// block passes over all lines whose jobs need a slot that a job lacks: what is
// free of it is kept for that one.
func (p *play) block(slot string) {
	for _, l := range p.lines {
		l.blocked = l.blocked || l.typ.Slots[slot] > 0
	}
}

// first gives the line whose first job is the next to start; nil if all are
// empty or blocked.
func (p *play) first() *line {
	var best *line
	for _, l := range p.lines {
		if len(l.turns) == 0 || l.blocked {
			continue
		}
		if best == nil || l.turns[0].before(best.turns[0].priority, best.turns[0].seq) {
			best = l
		}
	}
	return best
}

// missing says of which types no run time is known.
func (p *play) missing() string {
	var names []string
	for name := range p.unknown {
		names = append(names, name)
	}
	slices.Sort(names)
	return "how long jobs run is not known yet of " + strings.Join(names[:min(len(names), forecastNamed)], ", ")
}

// basis says from what a time was made.
func (p *play) basis() string {
	if len(p.used) == 0 {
		return "there is room for it"
	}
	var each []string
	for _, name := range p.used[:min(len(p.used), forecastNamed)] {
		took := p.took[name]
		each = append(each, fmt.Sprintf("%s %s (%s)", name, rounded(percentile(took, 50)), counted(len(took), "run")))
	}
	return "median run times: " + strings.Join(each, ", ")
}

// rounded gives a duration without digits that nobody needs.
func rounded(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
