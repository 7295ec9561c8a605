//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// jobrunner is a daemon with a state folder of its own.
type jobrunner struct {
	bed    *bed
	daemon *exec.Cmd
	log    bytes.Buffer
	asked  int // jobs in all
	files  int // request files in all
	ask    func(*jobrunner, int) error
}

func openJobrunner(ask func(*jobrunner, int) error) func(*bed) (session, error) {
	return func(b *bed) (session, error) {
		if err := b.configure(""); err != nil {
			return nil, err
		}
		j, err := b.serve()
		if err != nil {
			return nil, err
		}
		j.ask = ask
		if err := j.warm(); err != nil {
			return nil, errors.Join(err, j.close())
		}
		return j, nil
	}
}

// withJobrunner has do measure a jobrunner whose supervisor runs, and leaves
// nothing of it; env is added to the environment of both.
func (b *bench) withJobrunner(do func(*jobrunner) error, env ...string) error {
	place, err := b.lay()
	if err != nil {
		return err
	}
	if err := place.configure("unix:" + place.page()); err != nil {
		return err
	}
	j, err := place.serve(env...)
	if err != nil {
		return err
	}
	err = j.warm()
	if err == nil {
		err = do(j)
	}
	err = errors.Join(err, j.close())
	_, alive := reap()
	return errors.Join(err, alive, os.RemoveAll(place.dir))
}

// configure writes jobrunner's settings; listen is where the page is, "" if there
// is none.
func (b *bed) configure(listen string) error {
	return b.write("jobrunner.yaml", fmt.Sprintf(`listen: %q
max_concurrent: %d
settle: 10ms
log: {level: warn}
types:
  job: {command: [%q, %q]}
  stay: {command: [%[3]q, stay, %[4]q]}
  write: {command: [%[3]q, write, %[4]q]}
`, listen, b.width, b.job, b.trace))
}

// page is the socket of jobrunner's page, where it has one.
func (b *bed) page() string { return filepath.Join(b.dir, "page.sock") }

// serve starts a daemon in the bed.
func (b *bed) serve(env ...string) (*jobrunner, error) {
	j := &jobrunner{bed: b, ask: submitLines}
	j.daemon = j.command("serve")
	j.daemon.Stderr, j.daemon.Env = &j.log, append(os.Environ(), env...)
	return j, j.daemon.Start()
}

// warm runs a first job, which starts the supervisor: that is not what is measured.
func (j *jobrunner) warm() error {
	if err := j.submit(1); err != nil {
		return err
	}
	if err := j.bed.await(1); err != nil {
		return fmt.Errorf("%w; the daemon says\n%s", err, j.log.Bytes())
	}
	if err := j.settle(); err != nil {
		return err
	}
	return j.bed.forget()
}

func (j *jobrunner) command(args ...string) *exec.Cmd {
	cmd := exec.Command(j.bed.jobrunner, args...)
	cmd.Dir = j.bed.dir
	return cmd
}

func (j *jobrunner) submit(n int) error {
	j.asked += n
	return j.ask(j, n)
}

func submitLines(j *jobrunner, n int) error { return j.append("job", n) }

// append appends a line n times to job_queue.txt, in one write.
func (j *jobrunner) append(line string, n int) error {
	f, err := os.OpenFile(filepath.Join(j.bed.dir, "job_queue.txt"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.WriteString(f, strings.Repeat(line+"\n", n))
	return err
}

func submitFiles(j *jobrunner, n int) error {
	if err := os.MkdirAll(filepath.Join(j.bed.dir, "inbox"), 0o755); err != nil {
		return err
	}
	for range n {
		j.files++
		name := filepath.Join("inbox", fmt.Sprintf("%d.yaml", j.files))
		if err := j.bed.write(name+".tmp", "type: job\n"); err != nil {
			return err
		}
		name = filepath.Join(j.bed.dir, name)
		if err := os.Rename(name+".tmp", name); err != nil {
			return err
		}
	}
	return nil
}

func submitAdd(j *jobrunner, n int) error {
	for range n {
		if err := run(j.command("add", "job")); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until every job's end is in the database.
func (j *jobrunner) settle() error {
	return j.counted(func(states map[string]int) bool { return states["COMPLETED"] == j.asked })
}

// idle waits until no job runs.
func (j *jobrunner) idle() error {
	return j.counted(func(states map[string]int) bool { return states["RUNNING"] == 0 })
}

// counted waits until the database's count of jobs by their states is right.
func (j *jobrunner) counted(right func(map[string]int) bool) error {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		out, err := j.command("stats", "--json").Output()
		if err != nil {
			return err
		}
		var stats struct{ States map[string]int }
		if err := json.Unmarshal(out, &stats); err != nil {
			return err
		}
		if right(stats.States) {
			return nil
		}
	}
	return errors.New("jobs have not ended after two minutes")
}

func (j *jobrunner) own() []int {
	pids := []int{j.daemon.Process.Pid}
	if pid := find("supervise", j.bed.dir); pid > 0 {
		pids = append(pids, pid)
	}
	return pids
}

func (j *jobrunner) close() error {
	if err := run(j.command("stop", "--jobs")); err != nil {
		return err
	}
	return j.daemon.Wait()
}
