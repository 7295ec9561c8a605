package runner

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"jobrunner/jobs"
)

// How long a process has been there is not told by the clock on the wall, which
// may have been set since it was started.
func TestRanFor(t *testing.T) {
	before := uptime()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	q, ok := look(cmd.Process.Pid)
	if !ok {
		t.Fatal("the process is not there")
	}
	ran, ok := ranFor(q.id())
	if most := uptime() - before + time.Second/ticks; !ok || ran < 0 || ran > most {
		t.Errorf("it ran for %s, %v, want at most %s", ran, ok, most)
	}
	own, _ := look(os.Getpid())
	older, ok := ranFor(own.id())
	if !ok || older <= ran {
		t.Errorf("this process, which started it, ran for %s, %v, want more than %s", older, ok, ran)
	}
	for _, p := range []jobs.ProcessID{{}, {PID: 1, Start: "1", Boot: "another"}, {PID: 1, Start: "x", Boot: bootID()}} {
		if ran, ok := ranFor(p); ok {
			t.Errorf("ranFor(%+v) = %s", p, ran)
		}
	}
}
