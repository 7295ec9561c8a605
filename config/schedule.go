package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // small containers and Windows have no table of time zones

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

const scheduleHint = `for example {name: nightly, cron: "0 2 * * *", request: {type: train}}`

var scheduleName = newForm(`^[A-Za-z0-9._-]+$`, 64)

// schedules reads the list. A schedule goes by its name in what is said of it,
// and by its place in the list while it has none of its own.
func (d *decoder) schedules(dst *[]jobs.Schedule) func(value) {
	return func(v value) {
		items, _ := d.items(v, "a schedule is a member of the list: "+scheduleHint)
		seen := map[string]bool{}
		for i, item := range items {
			item.key = v.member(i)
			if item.node.Kind != yaml.MappingNode {
				d.wrongKind(item, "a mapping (key: value)", scheduleHint)
				continue
			}
			name := written(item.node, "name")
			doubled := seen[name]
			if scheduleName.fits(name) && !doubled {
				item.key = v.under(name)
				seen[name] = true
			}
			*dst = append(*dst, d.schedule(item, doubled))
		}
	}
}

// member is the dotted name of a member of the list v, counted from 1.
func (v value) member(i int) string { return fmt.Sprintf("%s.%d", v.key, i+1) }

// written gives the scalar behind a key of a mapping, "" if there is none.
func written(n *yaml.Node, key string) string {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Kind == yaml.ScalarNode {
			return n.Content[i+1].Value
		}
	}
	return ""
}

func (d *decoder) schedule(v value, doubled bool) jobs.Schedule {
	s := jobs.Schedule{Zone: time.Local, CatchUp: jobs.CatchUpNone, Overlap: jobs.OverlapSkip}
	catchUp, overlap := string(s.CatchUp), string(s.Overlap)
	var cron value
	d.fields(v, fields{
		"name":     d.scheduleName(&s.Name, doubled),
		"cron":     func(v value) { cron = v },
		"every":    d.duration(&s.Every, time.Second),
		"tz":       d.zone(&s.Zone),
		"catch_up": d.choice(&catchUp, string(jobs.CatchUpNone), string(jobs.CatchUpOne), string(jobs.CatchUpAll)),
		"overlap":  d.choice(&overlap, string(jobs.OverlapSkip), string(jobs.OverlapQueue)),
		"request":  d.request(&s.Request),
	})
	s.CatchUp, s.Overlap = jobs.CatchUp(catchUp), jobs.Overlap(overlap)
	for _, name := range []string{"name", "request"} {
		if !d.has(v.under(name)) {
			d.keyFault(v, "has no "+name, scheduleHint)
		}
	}
	every := d.has(v.under("every"))
	switch {
	case cron.node == nil && !every:
		d.keyFault(v, "has neither cron nor every", `for example cron: "0 2 * * *" or every: 15m`)
	case cron.node != nil && every:
		d.faultOf(v, "every", "has both cron and every", "remove one")
	case cron.node != nil:
		d.cron(&s, cron)
	default:
		s.Next = func(t time.Time) time.Time { return t.Add(s.Every) }
	}
	return s
}

func (d *decoder) scheduleName(dst *string, doubled bool) func(value) {
	return func(v value) {
		name, ok := d.text(v, "text", "")
		switch {
		case !ok:
		case !scheduleName.fits(name):
			d.fault(v, show(name)+" is no name of a schedule", "up to 64 letters, digits, dots, _ or -")
		case doubled:
			d.fault(v, show(name)+" is the name of another schedule", "name one otherwise")
		default:
			*dst = name
		}
	}
}

func (d *decoder) cron(s *jobs.Schedule, v value) {
	text, ok := d.text(v, "text", `put it in quotes, for example "0 2 * * *"`)
	if !ok {
		return
	}
	next, err := jobs.ParseCron(text, s.Zone)
	if err != nil {
		message, hint := err.Error(), ""
		var fault *jobs.Fault
		if errors.As(err, &fault) {
			message, hint = fault.Message, fault.Hint
		}
		d.fault(v, strings.TrimPrefix(jobs.Sanitize(message), "cron "), hint)
		return
	}
	s.Cron, s.Next = text, next
}

// zone reads the name of a time zone.
func (d *decoder) zone(dst **time.Location) func(value) {
	const hint = "for example Europe/Berlin, UTC or Local"
	return func(v value) {
		name, ok := d.text(v, "text", hint)
		if !ok {
			return
		}
		zone, err := time.LoadLocation(name)
		if err != nil || name == "" {
			d.fault(v, fmt.Sprintf("%q is no time zone", name), hint)
			return
		}
		*dst = zone
	}
}

// request reads what a schedule drops. What it asks for beyond a type's name
// is held against the types in Check, and again whenever it is dropped.
func (d *decoder) request(dst **jobs.Request) func(value) {
	return func(v value) {
		if v.node.Kind != yaml.MappingNode {
			d.wrongKind(v, "a mapping (key: value)", "for example {type: train, args: [25]}")
			return
		}
		if d.holdsRefused(v.node) || d.onceOnly(v) {
			return
		}
		r, fault := jobs.ParseRequestNode(v.node, d.file)
		if fault != nil {
			d.faultAt(fault.Line, fault.Column, v.about(fault.Message), fault.Hint)
			return
		}
		*dst = r
		d.later = append(d.later, func(c *Config) { d.asked(c, r, v) })
	}
}

func (d *decoder) holdsRefused(n *yaml.Node) bool {
	return d.done[n] || slices.ContainsFunc(n.Content, d.holdsRefused)
}

// onceOnly faults the keys that make sense for one job only.
func (d *decoder) onceOnly(v value) (found bool) {
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, message := v.node.Content[i], ""
		switch key.Value {
		case "id":
			message = "a schedule cannot have an id: the same id runs once only"
		case "after", "after_any":
			message = "a schedule cannot wait for other jobs: they end once only"
		default:
			continue
		}
		d.faultAt(key.Line, key.Column, v.about(message), "remove "+key.Value)
		found = true
	}
	return found
}

// asked looks whether the type that a schedule asks for is there, unless it
// may be in a file that cannot be read.
func (d *decoder) asked(c *Config, r *jobs.Request, v value) {
	if r.Type == "" || c.Catalog.Types[r.Type] != nil || len(c.TypeFaults) > 0 {
		return
	}
	at := v.node
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == "type" {
			at = v.node.Content[i+1]
		}
	}
	hint := notOneOf(r.Type, slices.Sorted(maps.Keys(c.Catalog.Types)))
	d.gone(d.makeFault(at.Line, at.Column, v.about(show(r.Type)+" is no type"), hint))
}
