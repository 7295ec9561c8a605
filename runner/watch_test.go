package runner

import (
	"os/exec"
	"testing"
	"time"
)

// child starts a process of this test that exits with 6 when it is told to.
func startWatched(t *testing.T) (cmd *exec.Cmd, release func()) {
	t.Helper()
	cmd = exec.Command("sh", "-c", "read line; exit 6")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, func() { in.Close() }
}

func awaitStatus(t *testing.T, w *watch) exitStatus {
	t.Helper()
	select {
	case status := <-w.Ended():
		return status
	case <-time.After(patience):
		t.Fatal("the end was not seen")
	}
	return exitStatus{}
}

func TestWatchClose(t *testing.T) {
	cmd, _ := startWatched(t)
	p, ok := identify(cmd.Process.Pid)
	if !ok {
		t.Fatal("not found")
	}
	w, ok := follow(p)
	if !ok {
		t.Fatal("not followed")
	}
	w.Close()
	select {
	case status := <-w.Ended():
		t.Errorf("a process that runs ended with %+v", status)
	default:
	}
}

func TestWatchNobody(t *testing.T) {
	cmd, _ := startWatched(t)
	p, ok := identify(cmd.Process.Pid)
	if !ok {
		t.Fatal("not found")
	}
	p.Start += "0" // another process that had this pid
	if w, ok := follow(p); ok {
		w.Close()
		t.Error("another process was followed")
	}
	var none *watch
	none.Close()
	if none.Ended() != nil {
		t.Error("a nil watch has an end")
	}
}
