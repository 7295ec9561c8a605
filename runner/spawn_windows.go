package runner

// Written against the documentation and cross-compiled; not yet tried on
// Windows.

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"

	"jobrunner/jobs"
)

// detachedAttr gives a supervisor a console of its own that is not shown. Its
// jobs share it: that is how Ctrl+Break reaches them, and why none opens a
// window.
func detachedAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
}

// rootOf is the folder that a supervisor works in: one that nobody wants to
// remove.
func rootOf(stateDir string) string { return filepath.VolumeName(stateDir) + `\` }

// ownBinary is the path by which this program is started once more: a running
// program's file cannot be replaced, only moved.
func ownBinary(path string) string { return path }

// child is the first process of an attempt. The handle keeps its pid until
// reap.
type child struct {
	process jobs.ProcessID
	handle  windows.Handle
	job     windows.Handle // without kill-on-close: its processes outlive us
	limits  string         // what limits it, in words
}

// startChild starts an attempt's process within its bounds, in a job object and
// a process group of its own, with no handle but NUL and the log. The error says
// in words why that cannot be done. A umask does not exist here.
func startChild(sp *spec, log *os.File, b *bounds) (*child, error) {
	path, err := findProgram(sp)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(sp.Dir); sp.Dir != "" && (err != nil || !info.IsDir()) {
		return nil, fmt.Errorf("working folder %s not found", sp.Dir)
	}
	pi, err := createSuspended(sp, path, log, b.class())
	if err != nil {
		return nil, startError(path, err)
	}
	defer windows.CloseHandle(pi.Thread)
	c := &child{handle: pi.Process, process: jobs.ProcessID{PID: int(pi.ProcessId), Boot: bootID()}}
	if start, ok := createdAt(pi.Process); ok {
		c.process.Start = strconv.FormatUint(start, 10)
	}
	if c.job, err = openJob(c.process.PID, sp.ID, strconv.Itoa(sp.Attempt)); err == nil {
		err = windows.AssignProcessToJobObject(c.job, c.handle)
	}
	if err == nil {
		c.limits = b.hold(c.job)
		_, err = windows.ResumeThread(pi.Thread)
	}
	if err != nil {
		_ = windows.TerminateProcess(c.handle, killedCode)
		c.reap()
		return nil, fmt.Errorf("job object: %w", err)
	}
	return c, nil
}

// createSuspended creates the process, of a priority class; it does not run
// before it is resumed.
func createSuspended(sp *spec, path string, log *os.File, class uint32) (*windows.ProcessInformation, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	var handles [2]windows.Handle // inherited, and no others
	for i, f := range []*os.File{null, log} {
		self := windows.CurrentProcess()
		if err := windows.DuplicateHandle(self, windows.Handle(f.Fd()), self, &handles[i], 0, true, windows.DUPLICATE_SAME_ACCESS); err != nil {
			return nil, err
		}
		defer windows.CloseHandle(handles[i])
	}
	attrs, err := windows.NewProcThreadAttributeList(1)
	if err != nil {
		return nil, err
	}
	defer attrs.Delete()
	if err := attrs.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&handles[0]), unsafe.Sizeof(handles)); err != nil {
		return nil, err
	}
	si := windows.StartupInfoEx{ProcThreadAttributeList: attrs.List()}
	si.Cb = uint32(unsafe.Sizeof(si))
	si.Flags = windows.STARTF_USESTDHANDLES
	si.StdInput, si.StdOutput, si.StdErr = handles[0], handles[1], handles[1]

	program, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	line, err := windows.UTF16PtrFromString(windows.ComposeCommandLine(sp.Argv))
	if err != nil {
		return nil, err
	}
	var dir *uint16
	if sp.Dir != "" {
		if dir, err = windows.UTF16PtrFromString(sp.Dir); err != nil {
			return nil, err
		}
	}
	const flags = windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_UNICODE_ENVIRONMENT | windows.EXTENDED_STARTUPINFO_PRESENT
	pi := new(windows.ProcessInformation)
	return pi, windows.CreateProcess(program, line, nil, nil, true, flags|class, environBlock(sp.Env), dir, &si.StartupInfo, pi)
}

// environBlock gives an environment as CreateProcess takes it: each entry
// ended by a zero, and one more at the end.
func environBlock(env []string) *uint16 {
	var block []uint16
	for _, entry := range env {
		block = append(append(block, utf16.Encode([]rune(entry))...), 0)
	}
	if len(block) == 0 {
		block = append(block, 0)
	}
	block = append(block, 0)
	return &block[0]
}

// await blocks until the process has ended. It leaves its status and its pid.
func (c *child) await() {
	_, _ = windows.WaitForSingleObject(c.handle, windows.INFINITE)
}

// exited reports whether the process has ended. It leaves its status.
func (c *child) exited() bool {
	event, err := windows.WaitForSingleObject(c.handle, 0)
	return err != nil || event == windows.WAIT_OBJECT_0
}

// reap asks for the status of the process, which has ended. Its pid may be
// another's from then on.
func (c *child) reap() exitStatus {
	var code uint32
	err := windows.GetExitCodeProcess(c.handle, &code)
	windows.CloseHandle(c.handle)
	if c.job != 0 {
		windows.CloseHandle(c.job)
	}
	switch {
	case err != nil:
		return exitStatus{}
	case code == killedCode:
		return exitStatus{Known: true, Signal: "SIGKILL"}
	}
	n := int(code)
	return exitStatus{Known: true, Code: &n}
}

// startError says in words why a program could not be started.
func startError(path string, err error) error {
	switch {
	case errors.Is(err, windows.ERROR_FILE_NOT_FOUND), errors.Is(err, windows.ERROR_PATH_NOT_FOUND):
		return fmt.Errorf("%s not found", path)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("permission denied: %s", path)
	case errors.Is(err, windows.ERROR_BAD_EXE_FORMAT):
		return fmt.Errorf("exec format error: %s is no program for this machine", path)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// findProgram gives the path of the program that an attempt is to execute: a
// bare name is looked up in the PATH of the attempt's own environment, and
// endings are those of its PATHEXT. Paths are relative to its working folder.
func findProgram(sp *spec) (string, error) {
	name := sp.Argv[0]
	endings := strings.Split(variable(sp.Env, "PATHEXT", ".COM;.EXE;.BAT;.CMD"), ";")
	if strings.ContainsAny(name, `\/:`) {
		if path := withEnding(within(sp.Dir, name), endings); path != "" {
			return path, nil
		}
		return "", fmt.Errorf("%s not found", name)
	}
	for _, folder := range filepath.SplitList(variable(sp.Env, "PATH", "")) {
		if folder == "" {
			continue
		}
		if path := withEnding(within(sp.Dir, filepath.Join(folder, name)), endings); path != "" {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s not found in PATH", name)
}

// withEnding returns the path of a file, with one of the endings if it needs
// one; "" if there is none.
func withEnding(path string, endings []string) string {
	regular := func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.Mode().IsRegular()
	}
	if filepath.Ext(path) != "" && regular(path) {
		return path
	}
	for _, ending := range endings {
		if ending != "" && regular(path+ending) {
			return path + ending
		}
	}
	return ""
}

// variable returns a variable of an environment, whose names have no case.
func variable(env []string, name, otherwise string) string {
	value := otherwise
	for _, entry := range env {
		if k, v, ok := strings.Cut(entry, "="); ok && strings.EqualFold(k, name) {
			value = v
		}
	}
	return value
}

func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
