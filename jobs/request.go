package jobs

import "time"

// Limits of what a request may hold.
const (
	MaxRequestSize = 64 << 10 // bytes of a line; files have their own setting
	MinPriority    = -1000
	MaxPriority    = 1000
	MaxRetries     = 1000
)

// Request asks for one job. It is what somebody wrote, read but not yet held
// against the types: Catalog.Resolve does that.
type Request struct {
	At Position // where it was written

	ID       string // UUID in lower case; "" means the taker makes one
	Spelling string // the id as it was written
	State    State  // a line's state word; "" if it bears none

	Target      string // a line's first word: a type's name or a script
	Type        string // key type
	Script      string // key script
	Args        []string
	Name        string
	Priority    int
	HasPriority bool // false means the type's priority
	Timeout     time.Duration
	Env         map[string]string
	Workdir     string
	Labels      map[string]string
	Params      map[string]string // as they are written
	After       []Ref
	AfterAny    []Ref
	NotBefore   time.Time     // key not_before
	Delay       time.Duration // key delay
	Retries     int
	HasRetries  bool // false means the type's max_retries
	Hold        bool
	UniqueKey   string
	OnDuplicate Duplicate // "" means DuplicateKeep
	Foreach     []Axis    // in the order in which they are written

	oneWord bool                // a line that is a single word in quotes: it may be a whole command line
	marks   map[string]Position // of a document: where each key's value stands
}

// Ref names a job that another one waits for: an id, the beginning of one, or
// the name of an earlier document of the same file.
type Ref struct {
	Text string
	At   Position
}

// Axis is one key of foreach: each of its values makes a job of its own.
type Axis struct {
	Name   string
	Values []string // as they are written
}

// Duplicate says what becomes of a request whose unique_key an unfinished job
// bears.
type Duplicate string

const (
	DuplicateKeep    Duplicate = "keep"    // it is answered with that job
	DuplicateReplace Duplicate = "replace" // that job is cancelled if it is PENDING, and this one takes its place
)

// Position is a place in a file that a person wrote.
type Position struct {
	File   string // "job_queue.txt", "train.yaml"
	Line   int    // counted from 1
	Column int    // counted from 1; 0 means the whole line
}

// Fault makes a Fault at this position.
func (p Position) Fault(message, hint string) *Fault {
	return &Fault{File: p.File, Line: p.Line, Column: p.Column, Message: message, Hint: hint}
}
