package jobs

import "time"

// Filter selects jobs. Zero values select everything.
type Filter struct {
	States []State
	Type   string
	Group  string            // id of a sweep, or its beginning
	Labels map[string]string // all of them; "" as a value means any
	Since  time.Time         // submitted then or later
	Query  string            // words and key:value: "state:failed type:train exit:137 words"
	Before int64             // only jobs with a smaller Seq; 0 means no bound
	After  int64             // only jobs with a bigger Seq, and of those the first; 0 means no bound
	Limit  int               // 0 means 100
}
