// Package schedule drops requests at their times: it makes jobs of what the
// configuration's schedules ask for, as if somebody had dropped a file.
//
// It owns how far each schedule has come, and knows nothing of files, processes
// or limits: a job that it made waits for its turn like any other. Each step is
// one commit of the jobs together with the time that comes next, taken only if
// the schedule still stands where it stood; so a crash at any moment neither
// doubles a run nor loses one, and the next daemon goes on from there. The
// clock on the wall counts: it is looked at often enough that a step of it, or
// a machine that slept, is noticed.
package schedule
