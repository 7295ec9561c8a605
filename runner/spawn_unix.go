//go:build unix

package runner

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// detachedAttr gives a supervisor a session of its own: no terminal and no
// shell takes it along when it ends.
func detachedAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// rootOf is the folder that a supervisor works in: one that it cannot keep
// anybody from unmounting.
func rootOf(string) string { return "/" }

// devNull is what jobs read.
var devNull = sync.OnceValues(func() (*os.File, error) { return os.OpenFile(os.DevNull, os.O_RDONLY, 0) })

// child is the first process of an attempt. Its pid is taken until reap, so
// it and its group can be signalled until then.
type child struct {
	process jobs.ProcessID
	waiter  waiter
	limits  string // what limits it, in words
}

// startChild starts an attempt's process within its bounds, in a session and a
// group of its own, with nothing open but /dev/null and its log or terminal.
// The error says in words why that cannot be done.
func startChild(sp *spec, to *os.File, b *bounds) (*child, error) {
	path, err := findProgram(sp)
	if err != nil {
		return nil, err
	}
	null, err := devNull()
	if err != nil {
		return nil, err
	}
	out := to.Fd()
	c := new(child)
	attr := &syscall.ProcAttr{
		Dir: sp.Dir, Env: sp.Env, Files: []uintptr{null.Fd(), out, out},
		Sys: c.waiter.attr(&syscall.SysProcAttr{Setsid: true, Credential: credential(sp.Account)}),
	}
	pid, err := b.fork(attr.Sys, func() (int, error) {
		return forkWithUmask(sp.Umask, func() (int, error) { return syscall.ForkExec(path, sp.Argv, attr) })
	})
	if err != nil {
		return nil, startError(sp, path, err)
	}
	c.limits = b.started(pid)
	c.waiter.begin(pid)
	// A child that we have not reaped is always found.
	id, ok := identify(pid)
	if !ok {
		id = jobs.ProcessID{PID: pid, Boot: bootID()}
	}
	c.process = id
	return c, nil
}

// credential is what the system is told of an account; nil changes nothing.
func credential(a *jobs.Account) *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: a.UID, Gid: a.GID, Groups: a.Groups}
}

// forkWithUmask calls fork while this process has the umask, -1 for its own.
// The umask is the whole process's, hence the lock.
func forkWithUmask(umask int, fork func() (int, error)) (int, error) {
	if umask < 0 {
		umaskMu.RLock()
		defer umaskMu.RUnlock()
		return fork()
	}
	umaskMu.Lock()
	defer umaskMu.Unlock()
	defer unix.Umask(unix.Umask(umask))
	return fork()
}

// reap asks for the status of the process, which has ended. Its pid may be
// another's from then on.
func (c *child) reap() exitStatus {
	c.waiter.end()
	var ws unix.WaitStatus
	for {
		pid, err := unix.Wait4(c.process.PID, &ws, 0, nil)
		if err == unix.EINTR || err == nil && pid == c.process.PID && !ws.Exited() && !ws.Signaled() {
			continue
		}
		if err != nil {
			return exitStatus{} // somebody else has reaped it: unknown, not made up
		}
		return statusOf(ws)
	}
}

func statusOf(ws unix.WaitStatus) exitStatus {
	if ws.Signaled() {
		return exitStatus{Known: true, Signal: signalName(ws.Signal())}
	}
	code := ws.ExitStatus()
	return exitStatus{Known: true, Code: &code}
}

func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return "SIG" + strconv.Itoa(int(sig)) // a real-time signal
}

// startError says in words why a program could not be started. execve(2)
// gives the same number for several causes, so it looks which one it is.
func startError(sp *spec, path string, err error) error {
	if words := folderFault(sp); words != nil {
		return words
	}
	switch {
	case sp.Account != nil && errors.Is(err, unix.EPERM) && os.Geteuid() != 0:
		return fmt.Errorf("user %q: the supervisor does not run as root, so it cannot start a job as another user", sp.Account.Name)
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		if line, ok := interpreterLine(sp.Dir, path); ok {
			return fmt.Errorf("%s: bad interpreter: %s", path, line)
		}
		return fmt.Errorf("%s not found", path)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return deniedError(sp, path)
	case errors.Is(err, unix.ENOEXEC):
		return fmt.Errorf("exec format error: %s is neither a program for this machine nor a script with a #! line", path)
	case errors.Is(err, unix.E2BIG):
		return fmt.Errorf("arguments and environment are too long")
	case errors.Is(err, unix.EAGAIN):
		return fmt.Errorf("too many processes")
	case errors.Is(err, unix.ETXTBSY):
		return fmt.Errorf("%s is being written to", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// deniedError says in words what the attempt may not execute.
func deniedError(sp *spec, path string) error {
	if info, err := os.Stat(within(sp.Dir, path)); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a folder", path)
	}
	who := ""
	if sp.Account != nil {
		who = fmt.Sprintf(" to user %q", sp.Account.Name)
	}
	if line, ok := interpreterLine(sp.Dir, path); ok {
		return fmt.Errorf("permission denied%s: %s or its interpreter %s", who, path, line)
	}
	return fmt.Errorf("permission denied%s: %s", who, path)
}

// folderFault says what is wrong with a working folder; nil if nothing is.
func folderFault(sp *spec) error {
	dir := sp.Dir
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("working folder %s not found", dir)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("permission denied: working folder %s", dir)
	case err != nil:
		return fmt.Errorf("working folder %w", err)
	case !info.IsDir():
		return fmt.Errorf("working folder %s is not a folder", dir)
	case sp.mayExecute(dir) != nil:
		return fmt.Errorf("permission denied: working folder %s", dir)
	}
	return nil
}
