package runner

import (
	"errors"
	"fmt"
	"path/filepath"

	"jobrunner/jobs"
)

// program is what a type of scripts runs for a job; zero for other types.
type program struct {
	script string // absolute path
	noted  string // its SHA-256, if it is not the one that was accepted
}

// programOf gives the script that is run for a job. It is resolved again: since
// the job was accepted the script may have gone, or may have become a link that
// leads out of the folder. If it was changed, the type says what is run.
func programOf(job *jobs.Job, typ *jobs.Type, dir, state string) (program, error) {
	if len(typ.Command) > 0 {
		return program{}, nil
	}
	script, err := typ.Script(job.Target, dir)
	if err != nil {
		if kept, ok := frozen(job, typ, state, job.Target); ok {
			return program{script: kept}, nil
		}
		return program{}, err
	}
	if job.ScriptHash == "" { // accepted before hashes were kept, or too large
		return program{script: script}, nil
	}
	hash, err := jobs.HashScript(script)
	switch {
	case errors.Is(err, jobs.ErrLargeScript) && (typ.OnChange == "" || typ.OnChange == jobs.OnChangeRun):
		return program{script: script, noted: "too large to be read"}, nil // it was smaller
	case err != nil:
		return program{}, fmt.Errorf("reading script %s: %w", job.Target, err)
	case hash == job.ScriptHash:
		return program{script: script}, nil
	case typ.OnChange == jobs.OnChangeReject:
		return program{}, fmt.Errorf("script %s was changed after the job was accepted (on_change: reject)", job.Target)
	case typ.OnChange != jobs.OnChangeCopy:
		return program{script: script, noted: hash}, nil
	}
	if kept, ok := frozen(job, typ, state, script); ok {
		return program{script: kept}, nil
	}
	return program{}, fmt.Errorf("script %s was changed after the job was accepted, and there is no copy of it as it was (on_change: copy)", job.Target)
}

// frozen gives the copy of a job's script as it was accepted, if the type keeps
// one and it is whole. name bears the script's extension.
func frozen(job *jobs.Job, typ *jobs.Type, state, name string) (string, bool) {
	if typ.OnChange != jobs.OnChangeCopy || job.ScriptHash == "" {
		return "", false
	}
	path := jobs.FrozenScript(state, job.ScriptHash, filepath.Ext(name))
	hash, err := jobs.HashScript(path)
	return path, err == nil && hash == job.ScriptHash
}
