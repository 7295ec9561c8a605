package runner

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// defaultGrace is between SIGTERM and SIGKILL where no type says otherwise.
const defaultGrace = 10 * time.Second

// defaultEnv is set for every job that has no value of its own: output that is
// not held back in buffers and fits a page, since a job has no terminal.
var defaultEnv = map[string]string{
	"PYTHONUNBUFFERED": "1",
	"PYTHONIOENCODING": "utf-8",
	"COLUMNS":          "120",
	"TQDM_MININTERVAL": "1",
}

// prepare makes of job what its type, as it is now, says is to be run. The error
// is worded to follow "start: ". dir is the folder of the configuration, state
// the state folder.
func prepare(job *jobs.Job, typ *jobs.Type, dir, state string, daemonEnv []string) (spec, error) {
	if typ == nil {
		return spec{}, fmt.Errorf("type %q is not configured", job.Type)
	}
	workdir, err := workdirOf(job, typ)
	if err != nil {
		return spec{}, err
	}
	argv, err := commandOf(job, typ, dir, workdir)
	if err != nil {
		return spec{}, err
	}
	sp := spec{
		ID: job.ID, Attempt: job.Attempt, Argv: argv, Dir: workdir,
		Env:   environment(job, typ, daemonEnv),
		Log:   filepath.Join(state, filepath.FromSlash(logName(job.ID))),
		Umask: typ.Umask, Timeout: limitOf(job, typ), Grace: graceOf(typ), Success: typ.SuccessCodes,
	}
	return sp, checkArgs(&sp)
}

// logName is the file of a job's output, relative to the state folder. The
// supervisor puts that of an earlier attempt aside.
func logName(id string) string { return "logs/" + id + ".log" }

// limitOf is the time limit of job: the shorter of its own and its type's, 0
// for none. typ is nil if the type is gone.
func limitOf(job *jobs.Job, typ *jobs.Type) time.Duration {
	limit := job.Timeout
	if typ != nil && typ.Timeout > 0 && (limit <= 0 || typ.Timeout < limit) {
		limit = typ.Timeout
	}
	return limit
}

func graceOf(typ *jobs.Type) time.Duration {
	if typ == nil {
		return defaultGrace
	}
	return typ.KillGrace
}

// commandOf gives argv: the type's words, then the script if it is a type of
// scripts, then the request's arguments.
func commandOf(job *jobs.Job, typ *jobs.Type, dir, workdir string) ([]string, error) {
	var argv []string
	if len(typ.Command) > 0 {
		argv = anchored(typ.Command, workdir, typ.Workdir, dir)
	} else {
		// Resolved again: since it was accepted the script may have gone, or
		// may have become a link that leads out of the folder.
		script, err := typ.Script(job.Target, dir)
		if err != nil {
			return nil, err
		}
		argv = append(anchored(typ.Interpreter, workdir, typ.Workdir, dir), script)
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, fmt.Errorf("type %q has no command", typ.Name)
	}
	return append(argv, job.Args...), nil
}

// anchored makes relative paths among a command's words mean the same wherever
// the job runs. They are relative to the type's workdir; one that is not there
// but in the configuration's folder means the latter. The folder that a request
// chose is never looked at, else its owner could put another program there. A
// word without a separator is no path; one that names nothing stays as it is.
func anchored(words []string, workdir, typeDir, dir string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = word
		if filepath.IsAbs(word) || !strings.ContainsAny(word, pathSeparators) {
			continue
		}
		for _, base := range []string{typeDir, dir} {
			path := filepath.Join(base, word)
			if base == "" || !regular(path) {
				continue
			}
			if !sameFolder(base, workdir) {
				out[i] = path
			}
			break
		}
	}
	return out
}

func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func sameFolder(a, b string) bool {
	if a == b {
		return true
	}
	ia, errA := os.Stat(a)
	ib, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(ia, ib)
}

// workdirOf is where job runs: its type's folder, or the one below it that the
// request asked for, links resolved. Neither is made if it is missing, since
// that is rather a mistake in its name.
func workdirOf(job *jobs.Job, typ *jobs.Type) (string, error) {
	path, err := typ.Folder(job.Workdir)
	if err != nil {
		return "", err
	}
	shown := cmp.Or(job.Workdir, typ.Workdir)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("workdir %s does not exist", shown)
	case err != nil:
		return "", fmt.Errorf("opening workdir %s: %w", shown, err)
	case !info.IsDir():
		return "", fmt.Errorf("workdir %s is not a folder", shown)
	}
	if job.Workdir == "" {
		return path, nil
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("opening workdir %s: %w", shown, err)
	}
	return path, nil
}

// environment is the job's whole environment, sorted: some of the daemon's, what
// the type hands on and sets, what the request sets, defaults for what is then
// unset, and last what tells the job about itself, which nobody can override.
func environment(job *jobs.Job, typ *jobs.Type, daemonEnv []string) []string {
	daemon := envSet{}
	for _, entry := range daemonEnv {
		// Windows has entries such as "=C:=C:\dir" that are no variables.
		if i := strings.IndexByte(entry, '='); i > 0 {
			daemon.set(entry[:i], entry[i+1:])
		}
	}
	env := envSet{}
	for key, v := range daemon {
		if inherited(key) {
			env[key] = v
		}
	}
	for _, name := range typ.EnvPass {
		if v, ok := daemon[envKey(name)]; ok {
			env[envKey(name)] = v
		}
	}
	for name, value := range typ.Env {
		env.set(name, value)
	}
	for name, value := range job.Env {
		env.set(name, value)
	}
	for name, value := range defaultEnv {
		if _, ok := env[envKey(name)]; !ok {
			env.set(name, value)
		}
	}
	env.set("JOBRUNNER_JOB_ID", job.ID)
	env.set("JOBRUNNER_TYPE", job.Type)
	env.set("JOBRUNNER_ATTEMPT", strconv.Itoa(job.Attempt))
	return env.list()
}

// envSet holds "NAME=value" by envKey(NAME).
type envSet map[string]string

func (e envSet) set(name, value string) { e[envKey(name)] = name + "=" + value }

func (e envSet) list() []string {
	out := make([]string, 0, len(e))
	for _, entry := range e {
		out = append(out, entry)
	}
	sort.Strings(out)
	return out
}
