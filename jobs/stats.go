package jobs

// Stats are the counters that the database keeps as states change.
type Stats struct {
	States map[State]int            `json:"states"` // every state, also at 0
	Types  map[string]map[State]int `json:"types"`  // only what is not 0
}
