//go:build linux

// Command bench runs whole systems that start jobs side by side, in one run on
// one machine, and prints how they compare: jobrunner by its three ways in,
// task-spooler, nq, GNU parallel, xargs, and a bare loop of posix_spawn and wait,
// which is the limit. What is not installed is left out, in words. Then it
// measures what only jobrunner has.
//
//	go run ./bench                      all measures, medians of 5 rounds
//	go run ./bench -rounds 3 -only rate,latency
//	go run ./bench -rounds 1 -only growth -most 1000000
//	go run ./bench -only startup -ended 1000000 -waiting 100000
//
// Each round measures every system once, in turn, so that a machine that gets
// slower is slower for all; what is compared are the ratios within a round. The
// job is a small static program that notes when its first instruction ran. What is
// measured of jobrunner alone is of a daemon with a page that nobody opens.
//
// rate gives each system no-op jobs, all at once: jobs a second from before the
// first is submitted until the last has begun, and the processor time of a job.
//
// latency gives each system at rest one job at a time: the time from before it is
// submitted to its first instruction.
//
// parts shows where that time goes for a line of job_queue.txt, by the steps that
// jobrunner's code marks for its tests (jobs.Step). The program that is measured has
// one file more, steps.go.txt, which notes when each is passed.
//
// growth lets ever more jobs wait, up to -most: with the queue paused, lines are
// appended, and the clock runs until none is left that was not taken and every
// one shows PENDING in job_queue.txt. Memory is read once the daemon has come to
// rest, with the most that it ever had. Then the queue is resumed until 300 no-op
// jobs have begun, and paused again: the daemon's processor time of these is what
// changes of state cost at that size, until they show in job_queue.txt, with the
// two commands in it. Figures at other sizes are compared with those at 10,000.
//
// startup starts a daemon in a folder with -ended jobs that have ended and -waiting
// ones that wait, no supervisor running: the time from exec to the first job's
// first instruction, and until /readyz says that requests are taken. The database
// is made through the queue as a daemon makes it, only more at once, and the lines
// of what waits are taken in by a daemon; the system has most of it in its memory.
//
// rest has run -jobs no-op jobs, waits until processes have come to rest, and watches
// them for -quiet: the share of a core that they use, their resident memory, and
// the memory of which pages that both have are counted by halves (Pss in
// smaps_rollup).
//
// output has a program write -bytes to its standard output, as a job and, in the
// same folder, with its output sent to a file by a shell, in turn: the seconds from
// its first instruction until it has written all, which is not on the disk by
// then; and what daemon and supervisor have used meanwhile, with taking in the job
// and its end. The files are removed, and the file system is flushed in between.
package main
