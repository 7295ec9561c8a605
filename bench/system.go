//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// system is a way to have jobs run.
type system struct {
	name  string
	note  string   // what is to be known when its figures are read
	needs []string // programs that must be installed
	most  int      // jobs that it is given at once at most; 0 means any number
	open  func(*bed) (session, error)
}

// session is a system that runs in a bed.
type session interface {
	// submit gives n jobs to the system in the fastest way that it offers. It may
	// return before they have begun.
	submit(n int) error
	// settle blocks until the system itself has nothing more to do, once all
	// jobs that were submitted have begun.
	settle() error
	// own gives the processes of the system that live on between jobs.
	own() []int
	// close ends the system and all its processes.
	close() error
}

// systems are all that are compared; the first is the limit.
var systems = []*system{
	{name: "spawn", note: "the limit: posix_spawn and wait, no state", open: openPipe(func(b *bed) []string {
		return []string{b.job, "spawn", fmt.Sprint(b.width), b.trace}
	})},
	{name: "jobrunner lines", note: "appended to job_queue.txt, all in one write", open: openJobrunner(submitLines)},
	{name: "jobrunner files", note: "renamed into the inbox, a file a job", open: openJobrunner(submitFiles)},
	{name: "jobrunner add", note: "a process a job, as a person would", most: 300, open: openJobrunner(submitAdd)},
	{name: "xargs", note: "no state, no log", needs: []string{"xargs"}, open: openPipe(func(b *bed) []string {
		return []string{"xargs", "-P", fmt.Sprint(b.width), "-I{}", b.job, b.trace}
	})},
	{name: "parallel", note: "GNU parallel, no state, no log", needs: []string{"parallel"}, most: 2000, open: openPipe(func(b *bed) []string {
		return []string{"parallel", "-u", "-j", fmt.Sprint(b.width), b.job + " " + b.trace + " #"}
	})},
	{name: "task-spooler", note: "state in memory, lost with its server; a process a job", needs: []string{"tsp"}, most: 900, open: openSpooler},
	{name: "nq", note: "one job at a time, a file and a process a job", needs: []string{"nq"}, most: 500, open: openNq},
}

// missing says what is not installed of what a system needs; "" if nothing is.
func (s *system) missing() string {
	for _, name := range s.needs {
		if _, err := exec.LookPath(name); err != nil {
			return name + " is not installed"
		}
	}
	return ""
}

// run runs a command to its end.
func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}

// pipe is a system that reads a line for each job.
type pipe struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	err bytes.Buffer
}

func openPipe(argv func(*bed) []string) func(*bed) (session, error) {
	return func(b *bed) (session, error) {
		words := argv(b)
		p := &pipe{cmd: exec.Command(words[0], words[1:]...)}
		p.cmd.Dir, p.cmd.Stderr = b.dir, &p.err
		p.cmd.Env = append(os.Environ(), "HOME="+b.dir) // parallel keeps files there
		var err error
		if p.in, err = p.cmd.StdinPipe(); err != nil {
			return nil, err
		}
		return p, p.cmd.Start()
	}
}

func (p *pipe) submit(n int) error {
	_, err := io.WriteString(p.in, strings.Repeat("x\n", n))
	return err
}

// settle returns at once: the pipe's systems keep nothing.
func (p *pipe) settle() error { return nil }

func (p *pipe) own() []int { return []int{p.cmd.Process.Pid} }

func (p *pipe) close() error {
	p.in.Close()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", p.cmd.Path, err, p.err.Bytes())
	}
	return nil
}

// spooler is task-spooler with a server of its own.
type spooler struct {
	bed    *bed
	server int
}

func openSpooler(b *bed) (session, error) {
	s := &spooler{bed: b}
	if err := run(s.command("-S", fmt.Sprint(b.width))); err != nil {
		return nil, err
	}
	s.server = find("tsp", filepath.Join(b.dir, "socket"))
	return s, nil
}

func (s *spooler) command(args ...string) *exec.Cmd {
	cmd := exec.Command("tsp", args...)
	cmd.Env = append(os.Environ(), "TS_SOCKET="+filepath.Join(s.bed.dir, "socket"), "TS_SAVELIST=", "TS_MAXFINISHED=10")
	return cmd
}

func (s *spooler) submit(n int) error {
	for range n {
		if err := run(s.command("-n", s.bed.job, s.bed.trace)); err != nil {
			return err
		}
	}
	return nil
}

func (s *spooler) settle() error { return run(s.command("-w")) }

func (s *spooler) own() []int {
	if s.server == 0 {
		return nil
	}
	return []int{s.server}
}

func (s *spooler) close() error { return run(s.command("-K")) }

// nq has no server: each job's process waits for the one before.
type nq struct{ bed *bed }

func openNq(b *bed) (session, error) { return &nq{b}, nil }

func (q *nq) submit(n int) error {
	for range n {
		cmd := exec.Command("nq", "-q", q.bed.job, q.bed.trace)
		cmd.Dir, cmd.Env = q.bed.dir, append(os.Environ(), "NQDIR="+q.bed.dir)
		if err := run(cmd); err != nil {
			return err
		}
	}
	return nil
}

func (q *nq) settle() error {
	cmd := exec.Command("nq", "-w")
	cmd.Env = append(os.Environ(), "NQDIR="+q.bed.dir)
	return run(cmd)
}

func (q *nq) own() []int { return nil }

func (q *nq) close() error { return nil }
