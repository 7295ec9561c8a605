package jobs_test

import (
	"testing"

	"jobrunner/jobs"
)

// gpus are two graphic cards, three licences, and one board that two share.
var gpus = map[string]jobs.SlotPool{
	"gpu":     {Tokens: []string{"0", "1"}, PerSlot: 1},
	"licence": {Tokens: []string{"a", "b", "c"}, PerSlot: 1},
	"board":   {Tokens: []string{"x", "y"}, PerSlot: 2},
}

// took is what Take answered, in words.
func took(table *jobs.SlotTable, id string, need map[string]int) any {
	tokens, lack, ok := table.Take(id, need)
	if !ok {
		return lack
	}
	return tokens
}

func TestSlotTableGivesFirstFreeTokens(t *testing.T) {
	table := jobs.NewSlotTable(gpus)
	table.Hold(map[string][]string{"licence": {"b"}, "gpu": {"7"}, "gone": {"1"}})
	same(t, "nothing needed", took(table, "a", nil), "map[]")
	same(t, "none needed", took(table, "a", map[string]int{"gpu": 0}), "map[]")
	same(t, "one", took(table, "a", map[string]int{"gpu": 1}), "map[gpu:[0]]")
	same(t, "two kinds", took(table, "b", map[string]int{"gpu": 1, "licence": 2}), "map[gpu:[1] licence:[a c]]")
	table.Release(map[string][]string{"gpu": {"0"}})
	same(t, "one that was given back", took(table, "c", map[string]int{"gpu": 1}), "map[gpu:[0]]")
	same(t, "all taken", took(table, "d", map[string]int{"gpu": 1}), "slot gpu: 2 of 2 taken")
}

func TestSlotTableSharesTokens(t *testing.T) {
	table := jobs.NewSlotTable(gpus)
	for i, want := range []string{"map[board:[x y]]", "map[board:[x]]", "map[board:[y]]", "slot board: 2 of 2 taken"} {
		need := 1
		if i == 0 {
			need = 2 // different ones, although one token has room for two jobs
		}
		same(t, want, took(table, "a", map[string]int{"board": need}), want)
	}
	table.Release(map[string][]string{"board": {"y"}})
	same(t, "one of two", took(table, "b", map[string]int{"board": 2}), "slot board: 1 of 2 taken, 2 needed")
}

func TestSlotTableKeepsSlotsInOrder(t *testing.T) {
	table := jobs.NewSlotTable(gpus)
	table.Hold(map[string][]string{"gpu": {"0"}})
	const first, second = "3f2a91c0-0000-4000-8000-000000000000", "9b1c22d0-0000-4000-8000-000000000000"
	same(t, "more than there is", took(table, "z", map[string]int{"gpu": 3}), "slot gpu: 3 needed, 2 configured")
	same(t, "an unknown slot", took(table, "z", map[string]int{"gpu": 2, "tpu": 1}), "slot tpu: 1 needed, 0 configured")
	same(t, "those keep nothing", took(table, "y", map[string]int{"gpu": 1}), "map[gpu:[1]]")
	table.Release(map[string][]string{"gpu": {"1"}})
	same(t, "too many", took(table, first, map[string]int{"gpu": 2, "licence": 1}), "slot gpu: 1 of 2 taken, 2 needed")
	same(t, "too many too", took(table, second, map[string]int{"gpu": 2}), "slot gpu: 1 of 2 taken, 2 needed")
	same(t, "a free one is kept", took(table, second, map[string]int{"gpu": 1}), "slot gpu: kept for 3f2a91c0")
	same(t, "another slot is not", took(table, second, map[string]int{"licence": 1}), "map[licence:[a]]")
	same(t, "none needed", took(table, second, map[string]int{"gpu": 0}), "map[]")
	table.Release(map[string][]string{"gpu": {"0"}})
	same(t, "still kept", took(table, second, map[string]int{"gpu": 1}), "slot gpu: kept for 3f2a91c0")
	same(t, "the first one's", took(table, first, map[string]int{"gpu": 2, "licence": 1}), "map[gpu:[0 1] licence:[b]]")
	table.Release(map[string][]string{"gpu": {"1"}})
	same(t, "kept no longer", took(table, second, map[string]int{"gpu": 1}), "map[gpu:[1]]")
	table.Release(map[string][]string{"gpu": {"1"}})
	same(t, "too many again", took(table, first, map[string]int{"gpu": 2}), "slot gpu: 1 of 2 taken, 2 needed")
	table.Forget()
	same(t, "looked at anew", took(table, second, map[string]int{"gpu": 1}), "map[gpu:[1]]")
}
