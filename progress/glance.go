package progress

import (
	"time"

	"jobrunner/jobs"
)

// Output is what is there of an attempt whose output was not followed.
type Output struct {
	Head      []byte    // how it begins; all of it if Tail is nil
	Tail      []byte    // how it ends, where it is too long to be read as a whole
	WrittenAt time.Time // when it was last written to
	StartedAt time.Time // of the attempt; may be zero
	File      []byte    // what the progress file holds; nil if there is none
	FileAt    time.Time // when that was last written to
}

// Glance gives how far the attempt has come, from one look at its output.
func Glance(rule jobs.ProgressRule, out Output, now time.Time) *jobs.Progress {
	d := New(rule, out.StartedAt)
	d.Write(out.Head, out.WrittenAt)
	if out.Tail != nil {
		d.Skip()
		d.Write(out.Tail, out.WrittenAt)
	}
	if out.File != nil {
		d.File(out.File, out.FileAt)
	}
	return d.Progress(now)
}
