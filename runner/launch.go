package runner

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jobrunner/jobs"
)

// defaultGrace is between SIGTERM and SIGKILL where no type says otherwise.
const defaultGrace = 10 * time.Second

// prepare makes of job what its type, as it is now, says is to be run. The error
// is worded to follow "start: ". dir is the folder of the configuration, state
// the state folder.
func prepare(job *jobs.Job, typ *jobs.Type, dir, state string, daemon envSet) (spec, error) {
	if typ == nil {
		return spec{}, fmt.Errorf("type %q is not configured", job.Type)
	}
	workdir, err := workdirOf(job, typ)
	if err != nil {
		return spec{}, err
	}
	program, err := programOf(job, typ, dir, state)
	if err != nil {
		return spec{}, err
	}
	argv, err := commandOf(job, typ, program, dir, workdir)
	if err != nil {
		return spec{}, err
	}
	account, err := accountOf(typ)
	if err == nil {
		err = mayWork(account, job, workdir, program.script)
	}
	if err != nil {
		return spec{}, err
	}
	sp := spec{
		ID: job.ID, Attempt: job.Attempt, Argv: argv, Dir: workdir,
		Env: environment(job, typ, account, state, daemon), Slots: job.Slots,
		Log:   filepath.Join(state, filepath.FromSlash(logName(job.ID))),
		Umask: typ.Umask, Timeout: limitOf(job, typ), Grace: graceOf(typ), Success: typ.SuccessCodes,
		Limits: limitsOf(typ), Script: program.noted, Account: account, TTY: typ.TTY,
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

// commandOf gives argv: the type's words, with the job's parameters where they
// are placed, then the script if it is a type of scripts, then the parameters
// that have no place and the request's arguments.
func commandOf(job *jobs.Job, typ *jobs.Type, program program, dir, workdir string) ([]string, error) {
	words := typ.Command
	if len(words) == 0 {
		words = typ.Interpreter
	}
	if len(words) == 0 || words[0] == "" {
		return nil, fmt.Errorf("type %q has no command", typ.Name)
	}
	if err := typ.CheckParams(job); err != nil {
		return nil, err
	}
	filled, argv := typ.Fill(words, job), anchored(words, workdir, typ.Workdir, dir)
	if filled[0] != words[0] {
		return nil, fmt.Errorf("the program of type %q holds a parameter, so a request could choose it", typ.Name)
	}
	for i, word := range filled {
		// What a request put in is taken as it is, never looked up as a path.
		if word != words[i] {
			argv[i] = word
		}
	}
	if program.script != "" {
		argv = append(argv, program.script)
	}
	return append(argv, typ.Words(job)...), nil
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
