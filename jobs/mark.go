package jobs

// Mark says how far the queue file has been read. Offsets are those of one
// generation: whenever somebody rewrote the file a new generation begins.
type Mark struct {
	Generation string // UUID
	Offset     int64  // bytes below it have been taken in
}

// Taken is a line that was taken in and is, or was a moment ago, in the queue
// file as its writer wrote it.
type Taken struct {
	Generation string
	Offset     int64
	Length     int64  // bytes, line end included
	Hash       uint64 // RawHash of the line
	Job        string // its job; "" for a command
	GoneAt     int64  // Unix ms at which it was replaced in the file; 0 while it stands there
}

// Placement says when a job's line was placed in the queue file (Unix ms), or
// LineLeft.
type Placement struct {
	ID  string
	Seq int64 // of the job; 0 if it is not known. By it many jobs that came one after the other are found sooner
	At  int64
}
