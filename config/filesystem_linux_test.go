package config_test

import (
	"os"
	"strings"
	"testing"

	"jobrunner/config"
)

// What is mounted on this machine is told apart as the kernel names it.
func TestMountedFileSystems(t *testing.T) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Skip("no list of mounts:", err)
	}
	wanted := map[string]bool{
		"ext4": true, "tmpfs": true, "xfs": true, "btrfs": true, "overlay": true, "zfs": true,
		"nfs": false, "nfs4": false, "cifs": false, "smb3": false, "9p": false, "ceph": false, "fuseblk": false,
	}
	for _, line := range strings.Split(string(mounts), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		want, known := wanted[fields[2]]
		if strings.HasPrefix(fields[2], "fuse.") {
			want, known = false, true
		}
		if info, err := os.Stat(fields[1]); !known || err != nil || !info.IsDir() {
			continue
		}
		local, kind, err := config.LocalFileSystem(fields[1])
		if err != nil || local != want {
			t.Errorf("%s on %s: got %t, %q, %v, want %t", fields[2], fields[1], local, kind, err, want)
		}
	}
}

func TestFileSystemKind(t *testing.T) {
	for _, row := range []struct {
		magic uint32
		local bool
		kind  string
	}{
		{0x6969, false, "nfs"}, {0xff534d42, false, "cifs"}, {0xfe534d42, false, "smb2"}, {0x517b, false, "smb"},
		{0x65735546, false, "fuse"}, {0x01021997, false, "9p"}, {0x00c36400, false, "ceph"},
		{0xef53, true, "ext4"}, {0x01021994, true, "tmpfs"}, {0x58465342, true, "xfs"}, {0x9123683e, true, "btrfs"},
		{0x794c7630, true, "overlayfs"}, {0x2fc12fc1, true, "zfs"}, {0x1234, true, "unknown (0x1234)"},
	} {
		if local, kind := config.FileSystemKind(row.magic); local != row.local || kind != row.kind {
			t.Errorf("%#x: got %t, %q, want %t, %q", row.magic, local, kind, row.local, row.kind)
		}
	}
}
