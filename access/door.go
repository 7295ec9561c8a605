package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/singleflight"

	"jobrunner/jobs"
)

const (
	waiting = 16 // passwords that may wait to be looked at; who comes then is to try again

	// rest is how much longer than the look at a wrong password nothing else is
	// looked at: guessing takes a quarter of one processor at most.
	rest = 3
)

// Options is what a Door needs.
type Options struct {
	// PasswordFile is the file in force, absolute; asked at every request, so that a
	// changed configuration counts at once. "" lets everybody in.
	PasswordFile func() string
	Log          zerolog.Logger // the zero value logs nothing
}

// Door lets in who has a password. It is safe for use by many requests at once.
type Door struct {
	o     Options
	file  *kept[users]
	tries *tries
	place chan struct{} // holds one: bcrypt is at work, or rests
	queue chan struct{} // holds those that wait for that place

	// looks are the looks at passwords that are under way. Whoever comes with the same
	// from the same place meanwhile, as all tabs of a browser do once the daemon has
	// started anew, is told what it comes to: it is one try.
	looks singleflight.Group

	secret []byte // of this process: for sums of passwords

	mu    sync.Mutex       // guards known
	known map[string]known // who was let in, by name
}

// known is a user who was let in, so that bcrypt is not asked at each request. The
// sum is of the hash and the password with a secret of this process: of no use to
// anybody else.
type known struct{ sum [sha256.Size]byte }

// NewDoor returns a Door.
func NewDoor(o Options) *Door {
	d := &Door{
		o: o, tries: newTries(), place: make(chan struct{}, 1), queue: make(chan struct{}, waiting),
		secret: make([]byte, sha256.Size), known: map[string]known{},
	}
	_, _ = rand.Read(d.secret) // it never fails
	d.file = &kept[users]{what: "password_file", log: o.Log, read: func(paths []string) (users, error) {
		found, faults := readUsers(paths[0])
		if len(faults) > 0 {
			return nil, faults[0]
		}
		return found, nil
	}}
	return d
}

// Problem says what is wrong with the file in force, and what follows from that; ""
// if nothing is.
func (d *Door) Problem() string {
	path := d.o.PasswordFile()
	if path == "" {
		return ""
	}
	_, _ = d.file.get(path)
	return d.file.problem()
}

// Enter decides about a request: 0 lets it in, 401 asks for a name and a password,
// 429 says that there were too many wrong ones, and after how long to come again. It
// blocks while a password is looked at, and longer if it is wrong.
func (d *Door) Enter(r *http.Request) (code int, after time.Duration) {
	path := d.o.PasswordFile()
	if path == "" {
		return 0, 0
	}
	all, ok := d.file.get(path)
	name, password, given := r.BasicAuth()
	if !ok || !given {
		return http.StatusUnauthorized, 0
	}
	hash := all[name]
	sum := d.sum(hash, password)
	if hash != "" && d.knows(name, sum) {
		return 0, 0
	}
	from := origin(r.RemoteAddr)
	look := d.looks.DoChan(string(sum[:])+from+" "+name, func() (any, error) {
		code, after := d.look(all, name, password, from)
		return answer{code, after}, nil
	})
	select {
	case got := <-look:
		a := got.Val.(answer)
		return a.code, a.after
	case <-r.Context().Done(): // nobody waits for it any more
		return http.StatusTooManyRequests, time.Second
	}
}

// answer is what Enter returns.
type answer struct {
	code  int
	after time.Duration
}

// look looks at a password from a place that may not be known, as Enter does.
func (d *Door) look(all users, name, password, from string) (code int, after time.Duration) {
	if after := d.tries.take(from); after > 0 {
		return http.StatusTooManyRequests, after
	}
	right, done := d.compare(all, all[name], password)
	switch {
	case !done:
		d.tries.giveBack(from)
		return http.StatusTooManyRequests, time.Second
	case !right:
		d.o.Log.Warn().Str("user", jobs.Sanitize(name)).Str("from", from).Msg("wrong password for the page")
		return http.StatusUnauthorized, 0
	}
	d.tries.giveBack(from)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) > len(all) {
		clear(d.known) // of users that are gone
	}
	d.known[name] = known{d.sum(all[name], password)}
	return 0, 0
}

func (d *Door) sum(hash, password string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, d.secret)
	h.Write([]byte(hash)) // always of the same length
	h.Write([]byte(password))
	h.Sum(sum[:0])
	return sum
}

func (d *Door) knows(name string, sum [sha256.Size]byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	k, ok := d.known[name]
	return ok && hmac.Equal(k.sum[:], sum[:])
}

// compare looks whether the password is that of the hash, one after the other. A
// name that is not there takes as long as others. done is false if too many wait.
func (d *Door) compare(all users, hash, password string) (right, done bool) {
	select {
	case d.queue <- struct{}{}:
		defer func() { <-d.queue }()
	default:
		return false, false
	}
	d.place <- struct{}{}
	defer func() { <-d.place }()
	against := hash
	for _, h := range all {
		if against != "" {
			break
		}
		against = h
	}
	began := time.Now()
	right = bcrypt.CompareHashAndPassword([]byte(against), []byte(password)) == nil && hash != ""
	if right {
		return true, true
	}
	timer := time.NewTimer(rest * time.Since(began))
	defer timer.Stop()
	<-timer.C // also if nobody waits: or it could be begun anew at once
	return false, true
}
