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

// environment is the job's whole environment, sorted: some of the daemon's, with
// what is the account's in place of its own, what the type hands on and sets, what the request sets, secret parameters included,
// defaults for what is then unset, and last what tells the job about itself, which
// nobody can override.
func environment(job *jobs.Job, typ *jobs.Type, account *jobs.Account, daemonEnv []string) []string {
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
	for name, value := range defaultEnv {
		if _, ok := env[envKey(name)]; !ok {
			env.set(name, value)
		}
	}
	env.set("JOBRUNNER_JOB_ID", job.ID)
	env.set("JOBRUNNER_TYPE", job.Type)
	env.set("JOBRUNNER_ATTEMPT", strconv.Itoa(job.Attempt))
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

func (e envSet) set(name, value string) { e[envKey(name)] = name + "=" + value }

func (e envSet) list() []string {
	out := make([]string, 0, len(e))
	for _, entry := range e {
		out = append(out, entry)
	}
	sort.Strings(out)
	return out
}
