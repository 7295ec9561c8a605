// Package retention lets go of history: jobs that ended long ago, with all that
// was kept of them.
//
// The queue says which may go and forgets them; that their files are to be
// removed is noted in the same transaction, and forgotten once they are. So a
// crash at any moment leaves nothing behind that the next start does not remove.
// It works in small steps with rests in between, so that nobody waits for it. It
// knows nothing of requests and processes; what lies in the outbox and in the
// queue file is removed by whoever owns these.
package retention
