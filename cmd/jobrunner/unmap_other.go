//go:build !linux

package main

// unmapProgram is of use on Linux alone.
func unmapProgram() {}
