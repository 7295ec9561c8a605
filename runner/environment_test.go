package runner

import (
	"maps"
	"slices"
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
	got := environment(job, typ, nil, daemon)
	want := []string{
		"COLUMNS=120", "EPOCHS=10", "HOME=/home/a", "JOBRUNNER_ATTEMPT=2", "JOBRUNNER_JOB_ID=an-id",
		"JOBRUNNER_TYPE=train", "LC_ALL=C.UTF-8", "MODE=fast", "PATH=/bin", "PYTHONIOENCODING=utf-8",
		"PYTHONUNBUFFERED=", "TOKEN=t", "TQDM_MININTERVAL=1", "TZ=Europe/Berlin",
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %q,\nwant %q", got, want)
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
		env := environment(job, &tt.typ, nil, []string{"CUDA_VISIBLE_DEVICES=0,1,2,3"})
		for name, value := range tt.want {
			if entry := name + "=" + value; !slices.Contains(env, entry) {
				t.Errorf("%s: %q is not in %q", tt.name, entry, env)
			}
		}
	}
	job.Env, job.Slots = map[string]string{"CUDA_VISIBLE_DEVICES": "7"}, map[string][]string{"licence": {"0"}}
	if env := environment(job, &jobs.Type{}, nil, nil); !slices.Contains(env, "CUDA_VISIBLE_DEVICES=7") {
		t.Errorf("without a gpu slot the request's devices are not in %q", env)
	}
}
