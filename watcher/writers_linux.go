package watcher

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// localFileSystems are those whose leases are known to protect: every open of
// their files passes this kernel. FUSE grants leases too, and they mean nothing.
var localFileSystems = []int64{
	unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
	unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, unix.REISERFS_SUPER_MAGIC,
	unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC,
	0x2fc12fc1, // ZFS
	0xca451a4e, // bcachefs
	0x3153464a, // JFS
	0x7366746e, // NTFS3
}

// writersOf says who has f open for writing. When it answers writersNone, an
// open for writing also waits until f is closed: it holds a read lease of
// fcntl(2), which is granted only to the file's owner or with CAP_LEASE. The
// signal with which the kernel asks for the lease back is ignored by Go.
func writersOf(f *os.File) writers {
	answer := writersUnknown
	withFD(f, func(fd int) error {
		var st unix.Statfs_t
		if err := unix.Fstatfs(fd, &st); err != nil || !isLocal(st) {
			return err
		}
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
		switch err {
		case nil:
			answer = writersNone
		case unix.EAGAIN, unix.EBUSY:
			answer = writersSome
		}
		return err
	})
	return answer
}

// mayChangeElsewhere reports whether other machines, or a program behind a
// FUSE mount, may change what is in dir: of that no event tells here.
func mayChangeElsewhere(dir string) bool {
	var st unix.Statfs_t
	err := retried(func() error { return unix.Statfs(dir, &st) })
	return err == nil && !isLocal(st)
}

func isLocal(st unix.Statfs_t) bool {
	return slices.Contains(localFileSystems, int64(uint32(st.Type)))
}
