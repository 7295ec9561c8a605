//go:build !windows

package config

// maxExitStatus is the largest exit status that a process can have.
const maxExitStatus = 255
