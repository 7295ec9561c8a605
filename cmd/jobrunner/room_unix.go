//go:build unix

package main

import "golang.org/x/sys/unix"

// room says how many bytes of the disk behind a path are free for this process,
// and how many it has.
func room(path string) (free, total int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, 0, err
	}
	size := int64(s.Bsize)
	return int64(s.Bavail) * size, int64(s.Blocks) * size, nil
}
