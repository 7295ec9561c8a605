package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// crowdSize is how many connections a test opens that ask nothing.
const crowdSize = 10_000

// Ten thousand connections that ask nothing, others that ask letter by letter and
// others that do not read what they asked for keep no job from being taken and run,
// and nobody else from the page; nor do they use up the daemon's files.
func TestCrowdOnThePage(t *testing.T) {
	const slow, deaf, files = 200, 50, 512
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < crowdSize+1000 {
		t.Skipf("this process may open %d files (%v), too few for the crowd", limit.Cur, err)
	}
	w := newWorld(t, map[string]string{"jobrunner.yaml": "listen: unix:page.sock\nmax_concurrent: 4\n" +
		"types: {say: {command: [echo]}, much: {command: [sh, -c, 'yes | head -c 30000000']}}\n"})
	w.write("jobrunner.yaml", strings.Replace(w.read("jobrunner.yaml"), "unix:", "unix:"+w.dir+"/", 1))
	w.shell = fmt.Sprintf("ulimit -n %d", files)
	w.start()
	much := strings.TrimSpace(w.run("add", "--wait", "much"))

	c := &crowd{world: w, socket: w.path("page.sock")}
	t.Cleanup(c.leave)
	c.come(deaf, "GET /api/v1/jobs/"+much+"/log HTTP/1.1\r\nHost: localhost\r\n\r\n")
	c.come(slow, "GET / HTTP/1.1\r\nHost: loc")
	c.come(crowdSize, "")
	c.come(slow, "GET /jobs HTTP/1.1\r\nHost: localhost\r\nX: ")
	t.Logf("%d connections were made, %d stand", c.made, c.stand())

	for i := range 20 {
		if id := strings.TrimSpace(w.run("add", "--wait", "say", fmt.Sprint(i))); w.job(id).State != jobs.Completed {
			t.Errorf("job %s did not complete", id)
		}
	}
	w.appendLine("say by-line")
	w.until("a line is taken", func() error {
		if !strings.Contains(w.read("job_queue.txt"), " by-line COMPLETED") {
			return errors.New("it is not")
		}
		return nil
	})
	client := socketClient(t, c.socket)
	for _, path := range []string{"/readyz", "/", "/api/v1/jobs"} {
		w.until("the page answers", func() error {
			answer, err := client.Get("http://localhost" + path)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return errors.New(answer.Status)
			}
			_, err = io.Copy(io.Discard, answer.Body)
			return err
		})
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.daemon.Process.Pid))
	if err != nil || len(open) > files*3/4 {
		t.Errorf("the daemon has %d files open of %d, %v", len(open), files, err)
	}
	if log := w.read("serve.log"); strings.Contains(log, "too many open files") {
		t.Error("the daemon ran out of files")
	}
}

// crowd are connections that are not of much use to anybody.
type crowd struct {
	*world
	socket string
	conns  []net.Conn
	made   int
}

// come makes n connections and says these words on each.
func (c *crowd) come(n int, words string) {
	c.Helper()
	for range n {
		conn, err := net.Dial("unix", c.socket)
		if errors.Is(err, syscall.EAGAIN) { // they come faster than they are let in
			err = within(patience, func() error { conn, err = net.Dial("unix", c.socket); return err })
		}
		if err != nil {
			c.Fatal(err)
		}
		c.conns = append(c.conns, conn)
		c.made++
		_, _ = io.WriteString(conn, words) // it may have been turned away already
	}
}

// stand counts the connections that have not been closed.
func (c *crowd) stand() int {
	n := 0
	for _, conn := range c.conns {
		raw, err := conn.(*net.UnixConn).SyscallConn()
		if err != nil {
			continue
		}
		_ = raw.Control(func(fd uintptr) {
			if got, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT); err == unix.EAGAIN || got > 0 {
				n++
			}
		})
	}
	return n
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		conn.Close()
	}
}
