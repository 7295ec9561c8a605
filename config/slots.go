package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

const (
	maxSlots   = 100
	maxTokens  = 10_000 // of one slot
	maxPerSlot = 10_000
	slotHint   = "for example gpu: [0, 1] or licence: 3"
)

var tokenForm = newForm(`^[A-Za-z0-9._:/@+-]+$`, 128) // jobs get them joined by commas

// slots reads the named tokens. A name is known also if what it stands for is
// at fault: the types that take some are not.
func (d *decoder) slots(dst *map[string]jobs.SlotPool) func(value) {
	return func(v value) {
		if len(v.node.Content)/2 > maxSlots {
			d.fault(v, fmt.Sprintf("has more than %d slots", maxSlots), "a slot has many tokens: licence: 20")
			return
		}
		pools, variables := map[string]jobs.SlotPool{}, map[string]string{}
		for _, pair := range d.pairs(v, slotHint) {
			name := pair.key
			pair.key = v.under(strings.Trim(show(name), `"`))
			variable := strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			switch other := variables[variable]; {
			case !plainName.fits(name):
				d.faultAt(pair.at.Line, pair.at.Column, v.about(show(name)+" is no name of a slot"), "a letter and up to 63 letters, digits, _ or -")
			case other != "":
				d.faultAt(pair.at.Line, pair.at.Column, v.about(fmt.Sprintf("%q and %q would both be JOBRUNNER_SLOT_%s in a job", other, name, variable)), "name one otherwise")
			}
			variables[variable] = name
			pool := jobs.SlotPool{PerSlot: 1}
			d.pool(&pool, pair)
			pools[name] = pool
		}
		*dst = pools
	}
}

// pool reads what a slot is made of: a list, a number, or either with per_slot.
func (d *decoder) pool(dst *jobs.SlotPool, v value) {
	if v.node.Kind != yaml.MappingNode {
		d.tokens(&dst.Tokens)(v)
		return
	}
	d.at[v.key] = jobs.Position{File: d.file, Line: v.at.Line, Column: v.at.Column}
	d.fields(v, fields{
		"tokens":   d.tokens(&dst.Tokens),
		"per_slot": d.whole(&dst.PerSlot, 1, maxPerSlot),
	})
	if !d.has(v.under("tokens")) {
		d.keyFault(v, "has no tokens", "for example {tokens: [0, 1], per_slot: 2}")
	}
}

// tokens takes their names, or how many there are.
func (d *decoder) tokens(dst *[]string) func(value) {
	return func(v value) {
		if v.node.Tag == "!!int" || v.node.Tag == "!!float" {
			if n, ok := d.number(v, 1, maxTokens); ok {
				for i := range n {
					*dst = append(*dst, strconv.FormatInt(i, 10))
				}
			}
			return
		}
		if v.node.Kind != yaml.SequenceNode {
			d.wrongKind(v, "a list or a number", slotHint)
			return
		}
		items, _ := d.items(v, slotHint)
		if len(items) == 0 {
			d.fault(v, "has no tokens, so no job could take one", slotHint)
		}
		seen := map[string]bool{}
		for _, item := range items {
			word, ok := d.word(item, "text")
			switch {
			case !ok:
			case !tokenForm.fits(word):
				d.fault(item, show(word)+" is no name of a token", "letters, digits and . _ : / @ + -")
			case seen[word]:
				d.fault(item, show(word)+" stands twice", "jobs share a token by per_slot")
			default:
				seen[word] = true
				*dst = append(*dst, word)
			}
		}
	}
}

// takes reads how many tokens each job of a type takes.
func (d *decoder) takes(dst *map[string]int) func(value) {
	return func(v value) {
		takes := map[string]int{}
		for _, pair := range d.pairs(v, "for example {gpu: 1}") {
			name := pair.key
			pair.key = v.under(strings.Trim(show(name), `"`))
			if n, ok := d.number(pair, 1, maxTokens); ok {
				takes[name] = int(n)
			}
			d.later = append(d.later, func(c *Config) { d.taken(c, name, takes[name], v, pair) })
		}
		*dst = takes
	}
}

// taken holds what a type takes against what there is.
func (d *decoder) taken(c *Config, name string, n int, v, pair value) {
	pool, ok := c.Catalog.Slots[name]
	switch {
	case !ok && len(c.Catalog.Slots) == 0:
		d.faultAt(pair.at.Line, pair.at.Column, v.about(show(name)+" is no slot"), "none are configured: at the top level, for example slots: {gpu: [0, 1]}")
	case !ok:
		hint := notOneOf(name, slices.Sorted(maps.Keys(c.Catalog.Slots)))
		d.faultAt(pair.at.Line, pair.at.Column, v.about(show(name)+" is no slot"), hint)
	case len(pool.Tokens) > 0 && n > len(pool.Tokens):
		d.fault(pair, fmt.Sprintf("a job takes different tokens, and there are %d, not %d", len(pool.Tokens), n), "")
	}
}
