package config

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// foreign are file systems whose files another machine or another process
// may change behind this kernel's back, by their magic; see statfs(2).
var foreign = map[uint32]string{
	0x00006969: "nfs",
	0x0000517b: "smb",
	0xff534d42: "cifs",
	0xfe534d42: "smb2",
	0x65735546: "fuse",
	0x01021997: "9p",
	0x00c36400: "ceph",
	0x5346414f: "afs",
	0x6b414653: "afs",
	0x73757245: "coda",
	0x0000564c: "ncp",
	0x01161970: "gfs2",
	0x7461636f: "ocfs2",
	0x0bd00bd0: "lustre",
	0x47504653: "gpfs",
	0x19830326: "beegfs",
	0xaad7aaea: "panfs",
	0x786f4256: "vboxsf",
	0xbacbacbc: "vmhgfs",
	0x7c7c6673: "prl_fs",
	0x53464846: "wslfs",
}

// native are those of this machine that have a name to show.
var native = map[uint32]string{
	0x0000ef53: "ext4",
	0x01021994: "tmpfs",
	0x858458f6: "ramfs",
	0x58465342: "xfs",
	0x9123683e: "btrfs",
	0x794c7630: "overlayfs",
	0x2fc12fc1: "zfs",
	0xf2f52010: "f2fs",
	0xca451a4e: "bcachefs",
	0x3153464a: "jfs",
	0x52654973: "reiserfs",
	0x7366746e: "ntfs3",
	0x2011bab0: "exfat",
	0x00004d44: "vfat",
	0x73717368: "squashfs",
}

func fileSystem(path string) (local bool, kind string, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return false, "", err
	}
	local, kind = fileSystemKind(uint32(s.Type))
	return local, kind, nil
}

func fileSystemKind(magic uint32) (local bool, kind string) {
	if kind, ok := foreign[magic]; ok {
		return false, kind
	}
	if kind, ok := native[magic]; ok {
		return true, kind
	}
	return true, fmt.Sprintf("unknown (%#x)", magic)
}

// foldPath gives a path as it is compared.
func foldPath(path string) string { return path }
