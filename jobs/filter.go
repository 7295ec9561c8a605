package jobs

// Filter selects jobs. Zero values select everything.
type Filter struct {
	States []State
	Type   string
	Query  string // words and key:value: "state:failed type:train exit:137 words"
	Before int64  // only jobs with a smaller Seq; 0 means no bound
	Limit  int    // 0 means 100
}
