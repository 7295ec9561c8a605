package jobs

import (
	"strings"
	"syscall"
)

// errNotFolder is what the system says of a path that leads through a file.
const errNotFolder = syscall.ERROR_PATH_NOT_FOUND

// sameName compares ends of file names as the file system does.
func sameName(a, b string) bool { return strings.EqualFold(a, b) }
