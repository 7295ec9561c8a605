// Package jobs is the domain: what a job, its type, a request and a command
// are, the one grammar in which requests are written, and the Queue, the only
// truth about every job.
//
// The package knows nothing of folders that are watched, of processes, pages
// or configuration files; those packages import this one, and it imports none
// of them. Every change of a job is one compare-and-set in the Queue's
// database, so a late or doubled message changes nothing, and whatever was
// committed survives a crash at any moment.
package jobs
