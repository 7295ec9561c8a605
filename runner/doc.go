// Package runner runs the jobs: it gives PENDING jobs their tokens and hands them
// to the supervisor within the limits, records how they end, and takes over what
// ran on while no daemon was there.
//
// It has two halves that share nothing but a socket. The Runner is part of the
// daemon: one goroutine owns the slots and the limits, and each running attempt
// has a goroutine that sees it through. Supervise is the body of a process of
// its own, the parent of every job, which outlives the daemon.
//
// A crash at any moment neither starts a job twice nor loses its exit status.
// RUNNING is committed, with the supervisor that is going to be asked, before it
// is asked; it starts an attempt once however often it is asked, and keeps a
// status until the status is committed. If the supervisor dies its jobs run on
// and are watched from here. What nobody saw is LOST, never guessed.
//
// The package knows nothing of requests, files in folders, or pages.
package runner
