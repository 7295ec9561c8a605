package watcher

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// share stands for a folder of another machine, as NFS and SMB mount it: what
// others do there (in far) is seen here (in near), and no event tells of it.
type share struct {
	near string // the mount, where the daemon looks
	far  string // the folder itself, where others work

	mu    sync.Mutex
	looks int            // how often the mount's top folder was opened
	taken map[string]int // looks so far when a file of that name was renamed away
}

// newShare mounts a share whose attributes may be as old as stale. Where FUSE
// cannot be had the test is skipped.
func newShare(t *testing.T, stale time.Duration) *share {
	t.Helper()
	dir := t.TempDir()
	s := &share{near: filepath.Join(dir, "near"), far: filepath.Join(dir, "far"), taken: map[string]int{}}
	for _, d := range []string{s.near, s.far} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	root := &shareNode{LoopbackNode: &fs.LoopbackNode{RootData: &fs.LoopbackRoot{Path: s.far}}, s: s}
	server, err := fs.Mount(s.near, root, &fs.Options{
		AttrTimeout: &stale, EntryTimeout: &stale,
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "share", Name: "share", DisableXAttrs: true},
	})
	if err != nil {
		t.Skipf("a FUSE file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if server.Unmount() != nil {
			_ = unix.Unmount(s.near, unix.MNT_DETACH)
		}
		server.Wait()
	})
	return s
}

// inbox makes an inbox on the share, with everything else on a local disk.
func (s *share) inbox(t *testing.T) *tray {
	t.Helper()
	dir := t.TempDir()
	return newTrayOn(t, s.near, filepath.Join(dir, "outbox"), filepath.Join(dir, "state"))
}

// looked is how often the mount's top folder was opened.
func (s *share) looked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks
}

// takenAfter is how often that was so when the file was renamed away; 0 if it
// was not.
func (s *share) takenAfter(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[name]
}

// drop renames a whole file into the share from the other side.
func (s *share) drop(t *testing.T, name, text string) {
	t.Helper()
	temp := filepath.Join(s.far, "."+name+".tmp")
	if err := os.WriteFile(temp, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temp, filepath.Join(s.far, name)); err != nil {
		t.Fatal(err)
	}
}

// append appends to a file of the share from the other side.
func (s *share) append(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.far, name), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// shareNode is a file or folder of a share.
type shareNode struct {
	*fs.LoopbackNode
	s *share
}

func (n *shareNode) WrapChild(_ context.Context, child fs.InodeEmbedder) fs.InodeEmbedder {
	return &shareNode{LoopbackNode: child.(*fs.LoopbackNode), s: n.s}
}

func (n *shareNode) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if n.IsRoot() {
		n.s.mu.Lock()
		n.s.looks++
		n.s.mu.Unlock()
	}
	return n.LoopbackNode.OpendirHandle(ctx, flags)
}

func (n *shareNode) Rename(ctx context.Context, name string, to fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	errno := n.LoopbackNode.Rename(ctx, name, to, newName, flags)
	if errno == 0 && n.IsRoot() && !strings.HasPrefix(name, ".") {
		n.s.mu.Lock()
		n.s.taken[name] = n.s.looks
		n.s.mu.Unlock()
	}
	return errno
}
