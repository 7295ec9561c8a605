package config

import (
	"strings"

	"golang.org/x/sys/unix"
)

func fileSystem(path string) (local bool, kind string, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return false, "", err
	}
	return s.Flags&unix.MNT_LOCAL != 0, unix.ByteSliceToString(s.Fstypename[:]), nil
}

// foldPath gives a path as it is compared: by default the file system takes
// no notice of case.
func foldPath(path string) string { return strings.ToLower(path) }
