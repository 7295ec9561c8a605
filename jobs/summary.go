package jobs

import (
	"strconv"
	"strings"
)

// Summarise gives one state for several jobs, and how many are in which state.
// It is REJECTED or PENDING if all are, RUNNING while any is unfinished, then
// FAILED if any did not complete, else COMPLETED.
func Summarise(all []*Job) (State, string) {
	count := map[State]int{}
	ended := 0
	for _, j := range all {
		count[j.State]++
		if j.State.Ended() {
			ended++
		}
	}
	var parts []string
	for _, s := range States {
		if count[s] > 0 {
			parts = append(parts, strconv.Itoa(count[s])+" "+string(s))
		}
	}
	words := strings.Join(parts, ", ")
	n := len(all)
	switch {
	case n > 0 && count[Rejected] == n:
		return Rejected, words
	case n > 0 && count[Pending] == n:
		return Pending, words
	case ended < n:
		return Running, words
	case count[Completed] < n:
		return Failed, words
	}
	return Completed, words
}
