package jobs

// Item is what one line or one document turned out to be. Exactly one of
// Request, Command and Fault is set; all are nil for a blank line or a comment.
type Item struct {
	Request *Request
	Command *Command
	Fault   *Fault

	// What can be shown of the line or document, also of a faulty one.
	FirstWord string // its first word; "" if there is none
	ID        string // the id it bears, in lower case; "" if it bears none
	Spelling  string // that id as it was written

	file string // the request file it stands in; "" for a line of the queue file
}
