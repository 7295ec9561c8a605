package main

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// deafFolder is a folder on a share that does not answer when a file is made in it.
type deafFolder struct {
	fs.Inode
	asked, over chan struct{}
	once        sync.Once
}

func (d *deafFolder) Create(context.Context, string, uint32, uint32, *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	d.once.Do(func() { close(d.asked) })
	<-d.over
	return nil, nil, 0, syscall.EIO
}

// A share that does not answer keeps a status file from nowhere else: another path
// counts at once, also while the first is still waited for.
func TestStatusFileLeavesDeafShare(t *testing.T) {
	t.Parallel()
	const config = "listen: \"\"\ntypes: {say: {command: [echo]}}\n"
	w := newWorld(t, map[string]string{configFile: config + "status: {html: share/jobs.html}\n", "share/README": ""})
	folder := &deafFolder{asked: make(chan struct{}), over: make(chan struct{})}
	server, err := fs.Mount(w.path("share"), folder, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true}})
	if err != nil {
		t.Skipf("a FUSE file system cannot be mounted here: %v", err)
	}
	answer := sync.OnceFunc(func() { close(folder.over) })
	t.Cleanup(func() {
		answer()
		w.reap()
		if server.Unmount() != nil {
			_ = syscall.Unmount(w.path("share"), syscall.MNT_DETACH)
		}
		server.Wait()
	})
	w.start()
	w.until("the share is asked", func() error {
		select {
		case <-folder.asked:
			return nil
		default:
			return errors.New("it is not")
		}
	})
	w.write(configFile, config+"status: {html: jobs.html}\n")
	w.shows("jobs.html", "Nothing runs.")
	answer() // a process does not end before what it asks is answered
	w.end(syscall.SIGTERM)
}
