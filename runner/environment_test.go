package runner

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"jobrunner/jobs"
)

func TestEnvironment(t *testing.T) {
	daemon := []string{"PATH=/bin", "HOME=/home/a", "SECRET=s", "TOKEN=t", "LC_ALL=C.UTF-8", "COLUMNS=40", "TZ=UTC"}
	typ := &jobs.Type{
		Name:    "train",
		EnvPass: []string{"TOKEN", "UNSET"},
		Env:     map[string]string{"EPOCHS": "1", "MODE": "fast", "TZ": "Europe/Berlin", "JOBRUNNER_ATTEMPT": "99"},
	}
	job := &jobs.Job{ID: "an-id", Type: "train", Attempt: 2, Env: map[string]string{"EPOCHS": "10", "PYTHONUNBUFFERED": ""}}
	got := environment(job, typ, nil, "/state", readEnv(daemon))
	want := []string{
		"COLUMNS=120", "EPOCHS=10", "HOME=/home/a", "JOBRUNNER_ATTEMPT=2", "JOBRUNNER_JOB_ID=an-id",
		"JOBRUNNER_PROGRESS_FILE=/state/logs/an-id.2.progress", "JOBRUNNER_TYPE=train", "LC_ALL=C.UTF-8", "MODE=fast", "PATH=/bin", "PYTHONIOENCODING=utf-8",
		"PYTHONUNBUFFERED=", "TOKEN=t", "TQDM_MININTERVAL=1", "TZ=Europe/Berlin",
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %q,\nwant %q", got, want)
	}
}

// What is set by default is set only where nothing else sets it, be it to nothing.
func TestEnvironmentDefaults(t *testing.T) {
	defaults := map[string]string{"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "120", "TQDM_MININTERVAL": "1"}
	terminal := maps.Clone(defaults)
	terminal["TERM"], terminal["PAGER"] = "xterm-256color", "cat"
	daemon := []string{"PYTHONUNBUFFERED=d", "PYTHONIOENCODING=d", "COLUMNS=d", "TQDM_MININTERVAL=d", "TERM=d", "PAGER=d"}
	account := &jobs.Account{Word: "ada", Name: "ada", Home: "/home/ada"}
	for _, typ := range []jobs.Type{{}, {TTY: true}} {
		want := defaults
		if typ.TTY {
			want = terminal
		}
		for name, value := range terminal {
			passed, set := typ, typ
			passed.EnvPass = []string{name}
			set.Env = map[string]string{name: "t"}
			for _, tt := range []struct {
				name    string
				typ     jobs.Type
				job     map[string]string
				account *jobs.Account
				want    string
			}{
				{"nothing set", typ, nil, nil, want[name]},
				{"as another user", typ, nil, account, want[name]},
				{"handed on", passed, nil, nil, "d"},
				{"handed on as another user", passed, nil, account, "d"},
				{"set by the type", set, nil, nil, "t"},
				{"set by the request", set, map[string]string{name: ""}, nil, ""},
				{"set by the request as another user", typ, map[string]string{name: "r"}, account, "r"},
			} {
				env := environment(&jobs.Job{ID: "an-id", Env: tt.job}, &tt.typ, tt.account, "/state", readEnv(daemon))
				got, found := "", false
				for _, entry := range env {
					if text, ok := strings.CutPrefix(entry, name+"="); ok {
						got, found = text, true
					}
				}
				if _, there := want[name]; got != tt.want || !found && (there || tt.want != "") {
					t.Errorf("terminal %v, %s=%s, %s: %q, want %q", typ.TTY, name, value, tt.name, got, tt.want)
				}
			}
		}
	}
}

// Nobody but jobrunner says where the progress file is, and another user's is not in
// the state folder, which that user cannot enter.
func TestEnvironmentOfProgress(t *testing.T) {
	const own = "JOBRUNNER_PROGRESS_FILE=/state/logs/an-id.3.progress"
	typ := &jobs.Type{EnvPass: []string{"JOBRUNNER_PROGRESS_FILE"}, Env: map[string]string{"JOBRUNNER_PROGRESS_FILE": "t"}}
	job := &jobs.Job{ID: "an-id", Attempt: 3, Env: map[string]string{"JOBRUNNER_PROGRESS_FILE": "r"}}
	daemon := []string{"JOBRUNNER_PROGRESS_FILE=/of/the/job/that/runs/this/daemon"}
	if env := environment(job, typ, nil, "/state", readEnv(daemon)); !slices.Contains(env, own) {
		t.Errorf("%s is not in %q", own, env)
	}
	env := environment(job, typ, &jobs.Account{Word: "ada", Name: "ada"}, "/state", readEnv(daemon))
	others := "JOBRUNNER_PROGRESS_FILE=" + jobs.ProgressPath("/state", "an-id", 3, "ada")
	if !slices.Contains(env, others) || strings.Contains(others, "/state") {
		t.Errorf("%s is not in %q", others, env)
	}
	sp := spec{Env: env}
	sp.forgetProgress()
	if slices.Contains(sp.Env, others) || len(sp.Env) != len(env)-1 || !slices.Contains(env, others) {
		t.Errorf("forgotten: %q, of %q", sp.Env, env)
	}
}

func TestEnvironmentOfSlots(t *testing.T) {
	job := &jobs.Job{ID: "an-id", Type: "train", Attempt: 1,
		Slots: map[string][]string{"gpu": {"0", "3"}, "fast-disk": {"nvme1"}}}
	slots := map[string]string{"JOBRUNNER_SLOT_GPU": "0,3", "JOBRUNNER_SLOT_FAST_DISK": "nvme1", "CUDA_VISIBLE_DEVICES": "0,3"}
	ownWay := maps.Clone(slots)
	ownWay["CUDA_VISIBLE_DEVICES"] = "GPU-uuid"
	for _, tt := range []struct {
		name string
		typ  jobs.Type
		job  map[string]string
		want map[string]string
	}{
		{"nothing set", jobs.Type{}, nil, slots},
		{"set by the request", jobs.Type{}, map[string]string{"CUDA_VISIBLE_DEVICES": "7", "JOBRUNNER_SLOT_GPU": "7"}, slots},
		{"handed on", jobs.Type{EnvPass: []string{"CUDA_VISIBLE_DEVICES"}}, nil, slots},
		{"set by the type", jobs.Type{Env: map[string]string{"CUDA_VISIBLE_DEVICES": "GPU-uuid"}}, nil, ownWay},
	} {
		job.Env = tt.job
		env := environment(job, &tt.typ, nil, "/state", readEnv([]string{"CUDA_VISIBLE_DEVICES=0,1,2,3"}))
		for name, value := range tt.want {
			if entry := name + "=" + value; !slices.Contains(env, entry) {
				t.Errorf("%s: %q is not in %q", tt.name, entry, env)
			}
		}
	}
	job.Env, job.Slots = map[string]string{"CUDA_VISIBLE_DEVICES": "7"}, map[string][]string{"licence": {"0"}}
	if env := environment(job, &jobs.Type{}, nil, "/state", nil); !slices.Contains(env, "CUDA_VISIBLE_DEVICES=7") {
		t.Errorf("without a gpu slot the request's devices are not in %q", env)
	}
}
