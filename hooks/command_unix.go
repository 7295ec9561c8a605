//go:build unix

package hooks

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
)

const pathSeparators = "/"

// inherited reports whether a command gets the daemon's variable of that name.
func inherited(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR":
		return true
	}
	return strings.HasPrefix(name, "LC_")
}

// group is the process group that a command leads.
type group struct{}

func newGroup(cmd *exec.Cmd) (group, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return group{}, nil
}

func (group) started(*os.Process) {}

// kill ends all that is in the group. Who has left it is no longer the hook's.
func (group) kill(leader *os.Process) { _ = syscall.Kill(-leader.Pid, syscall.SIGKILL) }

func (group) close() {}
