package runner

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	// poor waits for a deadline when no more files can be opened.
	roles["poor"] = func([]string) {
		<-newDeadline(time.Nanosecond).C() // the runtime's poller needs a file too
		none := unix.Rlimit{Cur: 0, Max: 0}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
			fmt.Println(err)
			return
		}
		d := newDeadline(20 * time.Millisecond)
		<-d.C()
		fmt.Println("came", d.file == nil)
	}
}

func TestDeadlineCountsSuspend(t *testing.T) {
	d := newDeadline(time.Hour)
	defer d.Stop()
	if d.file == nil {
		t.Fatal("there is no timer")
	}
	raw, err := d.file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info []byte
	if errControl := raw.Control(func(fd uintptr) {
		info, err = os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	}); errControl != nil || err != nil {
		t.Fatal(errControl, err)
	}
	if want := fmt.Sprintf("clockid: %d\n", unix.CLOCK_BOOTTIME); !strings.Contains(string(info), want) {
		t.Errorf("the timer is %q, want %q", info, want)
	}
}

func TestDeadlineWithoutFiles(t *testing.T) {
	out, err := exec.Command(testBinary(t), "role", "poor").CombinedOutput()
	if got, want := string(out), "came true\n"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
