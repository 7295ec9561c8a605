package config

import (
	"strings"

	"golang.org/x/sys/windows"
)

func fileSystem(path string) (local bool, kind string, err error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return false, "", err
	}
	volume := make([]uint16, windows.MAX_LONG_PATH)
	if err := windows.GetVolumePathName(name, &volume[0], uint32(len(volume))); err != nil {
		return false, "", err
	}
	switch windows.GetDriveType(&volume[0]) {
	case windows.DRIVE_FIXED:
		return true, "a fixed drive", nil
	case windows.DRIVE_REMOVABLE:
		return true, "a removable drive", nil
	case windows.DRIVE_RAMDISK:
		return true, "a RAM disk", nil
	case windows.DRIVE_CDROM:
		return true, "an optical drive", nil
	case windows.DRIVE_REMOTE:
		return false, "a network drive", nil
	}
	return true, "a drive of unknown kind", nil
}

// foldPath gives a path as it is compared: the file system takes no notice of
// case.
func foldPath(path string) string { return strings.ToLower(path) }
