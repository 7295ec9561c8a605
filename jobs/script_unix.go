//go:build !windows

package jobs

import "syscall"

// errNotFolder is what the system says of a path that leads through a file.
const errNotFolder = syscall.ENOTDIR

// sameName compares ends of file names as the file system does.
func sameName(a, b string) bool { return a == b }
