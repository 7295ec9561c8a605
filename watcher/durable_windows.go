package watcher

import (
	"errors"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: Windows cannot flush a folder, NTFS journals its names.
func syncDir(string) error { return nil }

func isCrossDevice(err error) bool { return errors.Is(err, windows.ERROR_NOT_SAME_DEVICE) }
