// Package meter measures the jobs that run, from outside: how far they have
// come, when their output last grew, and what their processes take. It also
// takes the samples of the queue that charts are drawn from.
//
// It learns from the queue which jobs run, reads what is appended to their logs,
// and looks through the table of processes; it starts, signals and changes
// nothing. How progress is found in what a job prints is not known here: a
// Detector is handed in.
//
// What it knows is no part of the queue's truth. It is kept in memory, and stored
// about once a minute and when an attempt ends, so a crash loses at most the last
// minute, and the next daemon goes on with the rest. If nothing can be stored, jobs
// run all the same. A job that is over within a second and a half costs nothing.
package meter
