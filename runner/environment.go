package runner

import (
	"sort"
	"strconv"
	"strings"

	"jobrunner/jobs"
)

// defaultEnv is set for every job that has no value of its own: output that is
// not held back in buffers and fits a page, since a job has no terminal.
var defaultEnv = map[string]string{
	"PYTHONUNBUFFERED": "1",
	"PYTHONIOENCODING": "utf-8",
	"COLUMNS":          "120",
	"TQDM_MININTERVAL": "1",
}

// ttyEnv is set beside that for a job that has a terminal: what it is taken for, and
// that nobody turns its pages.
var ttyEnv = map[string]string{"TERM": "xterm-256color", "PAGER": "cat"}

// environment is the job's whole environment, sorted: some of the daemon's, with
// what is the account's in place of its own, what the type hands on and sets, what the request sets, secret parameters included,
// defaults for what is then unset, and last what tells the job about itself, which
// nobody can override. stateDir is the state folder.
func environment(job *jobs.Job, typ *jobs.Type, account *jobs.Account, stateDir string, daemon envSet) []string {
	env := make(envSet, len(typ.Env)+len(job.Env)+32) // what there is for most jobs
	for key, v := range daemon {
		if inherited(key) {
			env[key] = v
		}
	}
	env.become(account)
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
	env.setUnset(defaultEnv)
	if typ.TTY {
		env.setUnset(ttyEnv)
	}
	env.set("JOBRUNNER_JOB_ID", job.ID)
	env.set("JOBRUNNER_TYPE", job.Type)
	env.set("JOBRUNNER_ATTEMPT", strconv.Itoa(job.Attempt))
	env.set(envProgress, jobs.ProgressPath(stateDir, job.ID, job.Attempt, wordOf(account)))
	env.setSlots(job.Slots, typ)
	return env.list()
}

// gpuSlot is the slot whose tokens are numbers or ids of CUDA devices.
const (
	gpuSlot     = "gpu"
	cudaDevices = "CUDA_VISIBLE_DEVICES"
)

// setSlots tells a job which tokens it has. The CUDA devices are its own even if
// its request named others; only the type itself can say otherwise.
func (e envSet) setSlots(slots map[string][]string, typ *jobs.Type) {
	for name, tokens := range slots {
		list := strings.Join(tokens, ",")
		e.set(slotVariable(name), list)
		if _, ok := typ.Env[cudaDevices]; name == gpuSlot && !ok {
			e.set(cudaDevices, list)
		}
	}
}

// slotVariable is the variable of a slot: JOBRUNNER_SLOT_GPU.
func slotVariable(name string) string {
	return "JOBRUNNER_SLOT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// envSet holds "NAME=value" by envKey(NAME).
type envSet map[string]string

// readEnv takes in entries of the form NAME=value.
func readEnv(entries []string) envSet {
	env := make(envSet, len(entries))
	for _, entry := range entries {
		// Windows has entries such as "=C:=C:\dir" that are no variables.
		if i := strings.IndexByte(entry, '='); i > 0 {
			env[envKey(entry[:i])] = entry
		}
	}
	return env
}

func (e envSet) set(name, value string) { e[envKey(name)] = name + "=" + value }

// setUnset sets what has no value yet.
func (e envSet) setUnset(more map[string]string) {
	for name, value := range more {
		if _, ok := e[envKey(name)]; !ok {
			e.set(name, value)
		}
	}
}

func (e envSet) list() []string {
	out := make([]string, 0, len(e))
	for _, entry := range e {
		out = append(out, entry)
	}
	sort.Strings(out)
	return out
}
