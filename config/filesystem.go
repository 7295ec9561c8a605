package config

import "fmt"

// LocalFileSystem reports whether path, or the nearest folder above it that is
// there, lies on a file system of this machine, and what that is called. Locks
// and shared memory, on which the database relies, hold only there. A kind
// that is not known counts as local.
func LocalFileSystem(path string) (local bool, kind string, err error) {
	at := nearest(path)
	local, kind, err = fileSystem(at)
	if err != nil {
		return false, "", fmt.Errorf("asking for the file system of %q: %w", at, err)
	}
	return local, kind, nil
}
