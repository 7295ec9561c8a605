package watcher

import (
	"os"
	"path/filepath"
	"time"
)

// foreignClaims are files that daemons with other state folders have claimed
// from this inbox. They are never taken: their owner may come back. One that
// nobody has worked on for long is shown to people.
type foreignClaims struct {
	byPath map[string]foreignClaim
	looked time.Time
}

type foreignClaim struct {
	name  string
	owner string // its state folder's id
	look  look
	since time.Time // first time that it looked like this; of our own clock
}

const (
	foreignPatience = time.Hour // how long a claim may take its owner
	foreignPeriod   = time.Minute
)

// look looks through the claims in dir other than those of the state folder
// own, at most once in foreignPeriod.
func (f *foreignClaims) look(dir, own string) {
	if !f.looked.IsZero() && time.Since(f.looked) < foreignPeriod {
		return
	}
	f.looked = time.Now()
	old := f.byPath
	f.byPath = map[string]foreignClaim{}
	owners, _ := os.ReadDir(dir)
	for _, owner := range owners {
		if owner.Name() == own {
			continue
		}
		claims, _ := os.ReadDir(filepath.Join(dir, owner.Name()))
		for _, e := range claims {
			path := filepath.Join(dir, owner.Name(), e.Name())
			_, name, ok := splitClaim(e.Name())
			l, err := lookAt(path)
			if !ok || err != nil {
				continue
			}
			c, known := old[path]
			if !known || c.look != l {
				c = foreignClaim{name: name, owner: owner.Name(), look: l, since: f.looked}
			}
			f.byPath[path] = c
		}
	}
}

// ignored lists the claims that were not seen to change for long.
func (f *foreignClaims) ignored() []Ignored {
	var list []Ignored
	for _, c := range f.byPath {
		if f.looked.Sub(c.since) >= foreignPatience {
			list = append(list, Ignored{c.name, "claimed by another jobrunner, whose state folder has the id " + c.owner +
				", and not changed for an hour"})
		}
	}
	return list
}
