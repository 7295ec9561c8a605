package runner

import (
	"time"
)

// A job of a type with tty writes to a pseudo-terminal, since many tools show
// their bars only there. What it writes comes out at the terminal's other end,
// where somebody must take it, or the job stands still. That is the relay, a
// process of its own, so that the job outlives the supervisor too: it copies
// everything into the job's log, and ends when nobody has the terminal open any
// more. While the supervisor lives it keeps that end open as well, so that a relay
// that dies is replaced and the job notices nothing; it is not hung up even
// without, since the terminal is nobody's controlling terminal.
//
// The relay knows the job's process. When that has ended it takes what the
// terminal still holds, and says that the output is whole: to the supervisor in a
// byte, to anybody else by letting go of its lock on the log. What the job has left
// behind may write on.

const (
	ttyColumns = 120
	ttyRows    = 40

	relayTime  = 5 * time.Second        // how long the end of a job waits for its last output
	relayPause = 100 * time.Millisecond // before a relay that died is replaced, doubling
	relayLong  = 5 * time.Second        // the longest such pause
)

// RelayVerb is the first argument with which the supervisor runs this program as a
// relay; the path of the log follows, for people.
const RelayVerb = "relay"

// What a relay is given to open files.
const (
	relayOrders   = 0 // a pipe: the job's process, once, as JSON
	relayLog      = 1 // open for appending, and locked
	relayTerminal = 3
	relayWhole    = 4 // a pipe: gets a byte when the log holds all that the job wrote
)
