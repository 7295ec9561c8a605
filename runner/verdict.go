package runner

// verdict is what has become of an attempt, as far as it can be known.
type verdict struct {
	kind     verdictKind
	executor *executor    // verdictStart, verdictHeld
	state    attemptState // verdictHeld, verdictOrphan, verdictEnded, verdictLost
	reason   string       // verdictLost
}

type verdictKind int

const (
	verdictStart  verdictKind = iota // its supervisor has not been asked, or does not know it: it never ran
	verdictHeld                      // a supervisor has it
	verdictOrphan                    // it runs on without a supervisor
	verdictEnded                     // it has ended and its status was kept
	verdictNever                     // it never ran and its supervisor is gone
	verdictLost                      // it may have run, and nobody saw its end
)
