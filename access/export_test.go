package access

import "time"

// Look makes it look at its files at the next request, however short ago it did.
func (d *Door) Look() { d.file.forget() }

// Look makes them look at their files at the next connection.
func (c *Certificates) Look() { c.file.forget() }

func (k *kept[T]) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looked = time.Time{}
}

// Busy takes the place of whoever looks at passwords, until it is given back.
func (d *Door) Busy() (giveBack func()) {
	d.place <- struct{}{}
	return func() { <-d.place }
}

// Waiting is how many passwords wait to be looked at.
func (d *Door) Waiting() int { return len(d.queue) }

const (
	MostWaiting = waiting
	TriesAtOnce = triesAtOnce
	TriesEach   = triesEach
	MostPlaces  = mostPlaces
)

// Origin is where a request from that address comes from.
func Origin(remote string) string { return origin(remote) }

// Tries is the count of tries.
type Tries struct{ t *tries }

func NewTries(now func() time.Time) *Tries {
	t := newTries()
	t.now = now
	return &Tries{t}
}

func (t *Tries) Take(place string) time.Duration { return t.t.take(place) }
func (t *Tries) GiveBack(place string)           { t.t.giveBack(place) }
func (t *Tries) Places() int                     { return len(t.t.since) }
