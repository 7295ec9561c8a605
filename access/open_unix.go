//go:build !windows

package access

import "golang.org/x/sys/unix"

// openNonblocking keeps a named pipe from being waited for.
const openNonblocking = unix.O_NONBLOCK
