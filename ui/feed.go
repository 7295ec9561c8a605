package ui

import (
	"context"
	"encoding/json"
	"sort"
	"strconv"
	"sync"

	"jobrunner/jobs"
)

// What a feed keeps at most, and how many events are read for it at once.
const (
	feedMost   = 2000
	feedBytes  = 4 << 20
	feedAtOnce = 200
)

// feed has the changes of jobs as they are sent. The latest are kept, so that
// each is read from the database once, however many follow; who is further
// behind reads on from the database.
type feed struct {
	queue    *jobs.Queue
	readings func() map[string]*jobs.Reading

	behind   sync.Mutex // held while older ones are read: however many catch up, it is one reader
	mu       sync.Mutex // guards what follows, and is held while the newest are read
	kept     []news     // oldest first
	from, to int64      // kept has what came after one event, up to another
	size     int        // bytes of kept
}

// news is a change of a job.
type news struct {
	event   int64
	job     string
	over    int // attempts of the job that were over
	message message
}

// newsList is a piece of a feed.
type newsList struct {
	list []news
	last int64 // the event up to which it goes
	gone bool  // changes in between are no longer kept
}

// after gives the next changes that came after an event; none if there are none
// yet.
func (f *feed) after(ctx context.Context, event int64) (newsList, error) {
	f.mu.Lock()
	if event < f.from {
		f.mu.Unlock()
		f.behind.Lock()
		defer f.behind.Unlock()
		return f.read(ctx, event)
	}
	defer f.mu.Unlock()
	if event < f.to {
		return f.recent(event), nil
	}
	l, err := f.read(ctx, event)
	if err == nil {
		f.keep(event, l)
	}
	return l, err
}

// recent gives what is kept. The caller holds mu.
func (f *feed) recent(event int64) newsList {
	n := sort.Search(len(f.kept), func(i int) bool { return f.kept[i].event > event })
	list := f.kept[n:]
	if len(list) <= feedAtOnce {
		return newsList{list: list, last: f.to}
	}
	list = list[:feedAtOnce]
	return newsList{list: list, last: list[feedAtOnce-1].event}
}

// keep keeps what came after an event. The caller holds mu.
func (f *feed) keep(event int64, l newsList) {
	if l.gone {
		event = l.last // nobody may take what is left for all of it
	}
	if event != f.to {
		f.kept, f.from, f.to, f.size = nil, event, event, 0
	}
	if l.gone {
		return
	}
	f.kept, f.to = append(f.kept, l.list...), l.last
	for _, n := range l.list {
		f.size += len(n.message.data)
	}
	for len(f.kept) > feedMost || f.size > feedBytes {
		f.size -= len(f.kept[0].message.data)
		f.from, f.kept = f.kept[0].event, f.kept[1:]
	}
}

// read reads the next changes from the database.
func (f *feed) read(ctx context.Context, event int64) (newsList, error) {
	c, err := f.queue.Changes(ctx, event, feedAtOnce)
	if err != nil {
		return newsList{}, err
	}
	l := newsList{last: c.Last, gone: c.Gone}
	readings := f.readings()
	for _, one := range c.List {
		j := one.Job
		measure(j, readings)
		data, err := json.Marshal(j)
		if err != nil {
			return newsList{}, err
		}
		n := news{event: one.Event.ID, job: j.ID, over: j.Attempt, message: message{strconv.FormatInt(one.Event.ID, 10), "job", data}}
		if !j.State.Ended() {
			n.over--
		}
		l.list = append(l.list, n)
	}
	return l, nil
}

// measure fills in what is measured of a job while it runs.
func measure(j *jobs.Job, readings map[string]*jobs.Reading) {
	if r := readings[j.ID]; r != nil && j.State == jobs.Running && r.Attempt == j.Attempt {
		j.Progress, j.Usage = r.Progress, r.Usage
	}
}
