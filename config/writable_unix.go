//go:build !windows

package config

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// openNonblocking keeps a named pipe from being waited for.
const openNonblocking = unix.O_NONBLOCK

// writable reports, as an error, why this process may not make files in a
// folder; also that the file system is mounted read-only.
func writable(folder string) error {
	return unix.Access(folder, unix.W_OK|unix.X_OK)
}

// othersMayRead reports whether every user of this machine may read a file.
func othersMayRead(info fs.FileInfo) bool { return info.Mode().Perm()&0o004 != 0 }

// othersMayWrite reports whether every user of this machine may write a file, or
// into a folder.
func othersMayWrite(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }
