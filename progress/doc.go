// Package progress finds in a job's output, as it grows, how far the job has
// come: what the job says on purpose, what its type's pattern finds, else what
// is known of the bars of common tools.
//
// It does no I/O and starts nothing: a Detector is fed with what was read, in
// pieces of any size, and asked now and then. It keeps a few hundred bytes of
// the line that is being written and a few dozen samples, whatever comes. It
// knows nothing of files, processes or earlier runs. Nothing of it is kept: what
// a crash takes is found again in the output.
package progress
