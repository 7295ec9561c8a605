package runner

import (
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tellsStrangers reports whether the kernel gives the exit status of a process
// to whoever held its pidfd when somebody else has reaped it (Linux 6.15).
func tellsStrangers(t *testing.T) bool {
	t.Helper()
	return sync.OnceValue(func() bool {
		cmd, release := startWatched(t)
		fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
		if err != nil {
			return false
		}
		defer unix.Close(fd)
		release()
		_ = cmd.Wait()
		info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
		return unix.IoctlPidfdInfo(fd, &info) == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0
	})()
}

func wantSix(t *testing.T, status exitStatus) {
	t.Helper()
	if !status.Known || status.Code == nil || *status.Code != 6 {
		t.Errorf("status %+v, want exit 6", status)
	}
	if time.Since(status.At) > patience {
		t.Errorf("ended at %s", status.At)
	}
}

// A zombie's status is read although nobody has reaped it; the kernel's answer
// through the pidfd is 0 then, which is not it.
func TestWatchZombie(t *testing.T) {
	cmd, release := startWatched(t)
	p, _ := identify(cmd.Process.Pid)
	w, ok := follow(p)
	if !ok {
		t.Fatal("not followed")
	}
	defer w.Close()
	release()
	wantSix(t, awaitStatus(t, w))
}

func TestWatchReaped(t *testing.T) {
	if !tellsStrangers(t) {
		t.Skip("this kernel does not tell a stranger")
	}
	cmd, release := startWatched(t)
	p, _ := identify(cmd.Process.Pid)
	h, ok := openHandle(p)
	if !ok {
		t.Fatal("not found")
	}
	defer h.close()
	release()
	_ = cmd.Wait()
	status, ok := h.wait(t.Context())
	if !ok {
		t.Fatal("the end was not seen")
	}
	wantSix(t, status)
}

// Without pidfds a zombie is read, and what was reaped is unknown.
func TestWatchWithoutPidfd(t *testing.T) {
	cmd, release := startWatched(t)
	p, _ := identify(cmd.Process.Pid)
	h := &handle{process: p}
	release()
	status, ok := h.wait(t.Context())
	if !ok {
		t.Fatal("the end was not seen")
	}
	wantSix(t, status)
	_ = cmd.Wait()
	if status, ok := h.wait(t.Context()); !ok || status.Known {
		t.Errorf("reaped: %+v, %t, want an unknown status", status, ok)
	}
}
