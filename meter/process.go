package meter

import "time"

// process is one process as a pass through the table saw it.
type process struct {
	pid, ppid      int
	group, session int           // 0 where the system has none
	start          uint64        // when it was started, in units of the system
	own            time.Duration // processor time that it has used itself
	reaped         time.Duration // that of its children that have ended and whose status it has asked for, and of theirs
	memory         int64         // bytes resident, those that it shares with others in full
	dead           bool          // it has ended, and its parent has not asked for its status
}

// used is the processor time that stands to its account.
func (p *process) used() time.Duration { return p.own + p.reaped }
