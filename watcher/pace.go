package watcher

import (
	"time"

	"jobrunner/jobs"
)

// heavy is how long the writing of a reply takes that is paced: that of a sweep
// of thousands is read and written as a whole whenever one of its jobs changes.
const heavy = 10 * time.Millisecond

// heavyWait is how long a heavy reply waits at most. One writing may have taken long
// because the disk was busy, and then the next need not wait for that.
const heavyWait = 10 * time.Second

// pace keeps the writing of heavy replies, all together, to one part in effort
// of the time. Others are not held up by them. Its zero value is ready.
type pace struct {
	took map[string]time.Duration // by receipt: the last writing of those that are heavy
	next time.Time                // no heavy one is to be written before
}

// wrote notes how long the writing of a reply took.
func (p *pace) wrote(receipt string, took time.Duration, now time.Time) {
	delete(p.took, receipt)
	if took < heavy {
		return
	}
	if p.took == nil {
		p.took = map[string]time.Duration{}
	}
	p.took[receipt] = took
	p.next = now.Add(min((effort-1)*took, heavyWait))
}

// waits reports whether a reply is not to be written yet.
func (p *pace) waits(receipt string, now time.Time) bool {
	return p.took[receipt] > 0 && now.Before(p.next)
}

// due is when the first one of those that are behind may be written; the zero
// time means now.
func (p *pace) due(behind map[string]*jobs.Receipt) time.Time {
	for id := range behind {
		if p.took[id] == 0 {
			return time.Time{}
		}
	}
	return p.next
}
