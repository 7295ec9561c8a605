package hooks

// Written against the documentation and cross-compiled; not yet tried on
// Windows.

import (
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

const pathSeparators = `/\`

// inherited reports whether a command gets the daemon's variable of that name.
func inherited(name string) bool {
	switch name = strings.ToUpper(name); name {
	case "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "SYSTEMROOT", "COMSPEC",
		"PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA":
		return true
	}
	return strings.HasPrefix(name, "LC_")
}

// killedCode is the exit code of what was ended by force.
const killedCode = 1

// group is the job object that a command and its children are in.
type group struct{ job windows.Handle }

func newGroup(cmd *exec.Cmd) (group, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
	job, err := windows.CreateJobObject(nil, nil)
	return group{job}, err
}

// started puts a command into the group. What it has started by then stays
// outside.
func (g group) started(leader *os.Process) {
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(leader.Pid))
	if err != nil {
		return // it has ended
	}
	defer windows.CloseHandle(h)
	_ = windows.AssignProcessToJobObject(g.job, h) // else only the command itself can be ended
}

// kill ends all that is in the group.
func (g group) kill(leader *os.Process) {
	_ = windows.TerminateJobObject(g.job, killedCode)
	_ = leader.Kill()
}

func (g group) close() { windows.CloseHandle(g.job) }
