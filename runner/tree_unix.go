//go:build unix

package runner

import (
	"os"

	"golang.org/x/sys/unix"
)

// askAll asks processes to end.
func (t *tree) askAll(procs []proc, leader *proc) {
	signalAll(procs, leader, unix.SIGTERM)
	// A stopped process gets no SIGTERM before it goes on.
	signalAll(procs, leader, unix.SIGCONT)
}

// killAll ends processes.
func (t *tree) killAll(procs []proc, leader *proc) { signalAll(procs, leader, unix.SIGKILL) }

// signalAll sends a signal to the leader's whole group at once, so that no
// member can fork out of its way, and to the others one by one.
func signalAll(procs []proc, leader *proc, sig unix.Signal) {
	grouped := false
	if leader != nil {
		for _, q := range procs {
			if q.group == leader.pid {
				grouped = signalGroup(*leader, sig) == nil
				break
			}
		}
	}
	for _, q := range procs {
		if !grouped || q.group != leader.pid {
			// It may have ended meanwhile; who has not is seen at the next look.
			_ = signalProcess(q, sig)
		}
	}
}

// find returns the members that run, and the leader if it still has its pid
// (also if it has ended and nobody has asked for its status).
func (t *tree) find() (members []proc, leader *proc) {
	if t.leader.PID > 0 && t.leader.Boot != bootID() {
		return nil, nil
	}
	all := table.look()
	in := make(map[int]uint64) // start time by pid
	held := false              // the session is the leader's, not that of a process that got its pid later
	for i := range all {
		q := &all[i]
		if q.is(t.leader) {
			leader, held = q, true
		}
		if q.session == t.leader.PID && t.leader.PID > 0 && q.carries(t.jobID, t.attempt) {
			held = true
		}
	}
	self := os.Getpid()
	for changed := true; changed; {
		changed = false
		for i := range all {
			q := &all[i]
			if q.dead || q.pid == self || q.pid == 1 || in[q.pid] == q.start {
				continue
			}
			parent, descends := in[q.ppid]
			seen := t.seen[q.pid] == q.start
			if seen || q.carries(t.jobID, t.attempt) || held && q.session == t.leader.PID || descends && parent <= q.start {
				in[q.pid], t.seen[q.pid] = q.start, q.start
				members = append(members, *q)
				changed = true
			}
		}
	}
	return members, leader
}
