//go:build linux

// Command bench runs whole systems that start jobs side by side, in one run on
// one machine, and prints how they compare: jobrunner by its three ways in,
// task-spooler, nq, GNU parallel, xargs, and a bare loop of posix_spawn and wait,
// which is the limit. What is not installed is left out, in words.
//
//	go run ./bench                      all measures, medians of 5 rounds
//	go run ./bench -rounds 3 -only rate
//
// Each round measures every system once, in turn, so that a machine that gets
// slower is slower for all; what is compared are the ratios within a round. The
// job is a small static program that notes when its first instruction ran.
package main
