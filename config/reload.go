package config

import (
	"crypto/sha256"
	"errors"
	"os"
)

// cause is why the file is looked at.
type cause int

const (
	event cause = iota
	poll
	woken
)

// reloader is what Watch knows of the files. It is touched only by the
// goroutine of Watch.
type reloader struct {
	path    string
	onLoad  func(*Config)
	onError func(error)

	force    *Config
	looked   digest // of the files at the last look that came to an end
	doubtful digest // of files in which something was bad at the last look
	refused  digest // of the bytes and the words that onError was last called for
	missing  int    // polls that found no file, since it was last there
}

// look reads the files and reports what is new. It asks to be called again
// soon for what is bad, or gone, and may be half of what somebody is writing.
func (r *reloader) look(why cause) (again bool) {
	if _, err := os.Stat(r.path); errors.Is(err, os.ErrNotExist) {
		r.absent(why)
		return false
	}
	r.missing = 0
	data, err := read(r.path)
	if err != nil {
		data = []byte(err.Error())
	}
	main := sha256.Sum256(data)
	sum, _ := r.force.typeFiles(main, func(typeFile) {})
	if why != woken {
		if sum == r.force.sum {
			r.settle(sum)
			return false
		}
		if sum == r.looked {
			return false
		}
	}
	var next *Config
	if err == nil {
		next, err = parse(r.path, data, r.force, r.force.serving)
	}
	bad := err != nil || len(next.NewTypeFaults) > 0 || next.lacks(r.force)
	if bad && why != woken && sum != r.doubtful {
		r.doubtful = sum
		return true
	}
	r.looked, r.doubtful = sum, sum
	if err != nil {
		r.refuse(why, main, err)
		return false
	}
	if why == woken {
		next.NewTypeFaults = next.TypeFaults
	}
	r.force = next
	r.settle(next.sum)
	r.onLoad(next)
	return false
}

// settle notes that what lies there is in force: what was refused before is
// news again.
func (r *reloader) settle(sum digest) {
	r.looked, r.doubtful, r.refused = sum, sum, digest{}
}

// refuse reports why a changed jobrunner.yaml is not taken, once for the same
// bytes and reasons: files of types may change meanwhile.
func (r *reloader) refuse(why cause, main digest, err error) {
	id := sha256.Sum256(append([]byte(err.Error()), main[:]...))
	if id != r.refused || why == woken {
		r.onError(err)
	}
	r.refused = id
}

// absent reports a file that is gone: an editor may be about to put another in
// its place, so the second poll in a row that misses it says so, once.
func (r *reloader) absent(why cause) {
	if why == poll {
		r.missing++
	}
	if why == woken || why == poll && r.missing == 2 {
		_, err := read(r.path)
		if err != nil {
			r.onError(err)
		}
	}
}
