package hooks

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	commandTimeout = time.Minute // where a hook has none
	// outputDelay is how long the output of a command is waited for whose
	// process has ended: what it left in the background may hold it open.
	outputDelay = time.Second
)

// command runs a hook's command once, in the folder of the configuration, with
// the event on its standard input.
func (f *follower) command(work context.Context, h *bound, d *delivery) *failure {
	ctx, cancel := context.WithTimeout(work, cmp.Or(h.Timeout, commandTimeout))
	defer cancel()
	dir := f.o.Catalog().Dir
	out := &output{log: func(line string) {
		f.aboutDelivery(f.o.Log.Debug(), d).Str("line", line).Msg("output of a hook")
	}}
	cmd := exec.Command(program(h.Command[0], dir), h.Command[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, environment(os.Environ(), d), bytes.NewReader(d.body)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, outputDelay
	err := runGroup(ctx, cmd)
	out.end()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &failure{words: out.after("timeout " + cmp.Or(h.Timeout, commandTimeout).String())}
	}
	return &failure{words: out.after(endWords(h.Command[0], err))}
}

// runGroup runs a command in a process group of its own, which ends as a whole
// when ctx does.
func runGroup(ctx context.Context, cmd *exec.Cmd) error {
	g, err := newGroup(cmd)
	if err != nil {
		return err
	}
	defer g.close()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.started(cmd.Process)
	stop := context.AfterFunc(ctx, func() { g.kill(cmd.Process) })
	defer stop()
	return cmd.Wait()
}

// program is argv[0] as it is to be looked for: a relative path is one from
// dir, a bare name is looked up in PATH.
func program(name, dir string) string {
	if !filepath.IsAbs(name) && strings.ContainsAny(name, pathSeparators) {
		return filepath.Join(dir, name)
	}
	return name
}

// endWords says how a command failed.
func endWords(name string, err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if code := exit.ExitCode(); code >= 0 {
			return "exit " + strconv.Itoa(code)
		}
		return exit.Error() // "signal: killed"
	}
	name = jobs.Sanitize(name)
	var path *os.PathError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "start: " + name + " not found in PATH"
	case errors.Is(err, fs.ErrNotExist):
		return "start: " + name + " not found"
	case errors.As(err, &path):
		err = path.Err
	}
	return "start: " + name + ": " + jobs.Sanitize(err.Error())
}

// environment is what a command sees: what any job gets of the daemon's, and
// the event.
func environment(daemon []string, d *delivery) []string {
	var env []string
	for _, variable := range daemon {
		if name, _, ok := strings.Cut(variable, "="); ok && inherited(name) {
			env = append(env, variable)
		}
	}
	set := func(name, value string) { env = append(env, "JOBRUNNER_"+name+"="+jobs.Sanitize(value)) }
	set("EVENT", d.kind)
	j := d.job
	if j == nil {
		return env
	}
	set("JOB_ID", j.ID)
	set("TYPE", j.Type)
	set("STATE", string(j.State))
	set("REASON", j.Reason)
	set("ATTEMPT", strconv.Itoa(j.Attempt))
	if j.ExitCode != nil {
		set("EXIT_CODE", strconv.Itoa(*j.ExitCode))
	}
	return env
}
