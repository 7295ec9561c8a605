package ui

import (
	"fmt"
	"sync"

	"jobrunner/jobs"
)

const (
	maxHeadline  = 600  // bytes of HTML
	maxHeadlines = 2000 // held in memory
)

// headline is the line of a FAILED job's output that says why it failed.
type headline struct {
	Text string // fit to be shown; "" if there is none
	At   int64  // where in the output the line begins
}

// headlines holds those that were asked for, since the output of an attempt that
// has ended stays as it is and finding one means reading the end of it.
type headlines struct {
	mu    sync.Mutex
	known map[string]headline // by id and attempt
}

func newHeadlines() *headlines { return &headlines{known: map[string]headline{}} }

// headline gives that of the latest attempt of j; none if j is not FAILED or its
// output cannot be read.
func (s *server) headline(j *jobs.Job) headline {
	if j.State != jobs.Failed || j.Log == "" {
		return headline{}
	}
	if h, ok := s.headlines.of(j); ok {
		return h
	}
	text, at, err := jobs.OutputHeadline(s.StateDir, j, j.Attempt)
	if err != nil {
		return headline{}
	}
	h := headline{clean(text, maxHeadline), at}
	s.headlines.mu.Lock()
	defer s.headlines.mu.Unlock()
	if len(s.headlines.known) >= maxHeadlines {
		clear(s.headlines.known)
	}
	s.headlines.known[attemptKey(j.ID, j.Attempt)] = h
	return h
}

// headlineSoon is headline for a page of many jobs: one that is not known yet is
// looked for only while left, which is how many of those may be, is not used up.
func (s *server) headlineSoon(j *jobs.Job, left *int) headline {
	if h, ok := s.headlines.of(j); ok || *left == 0 || j.State != jobs.Failed {
		return h
	}
	*left--
	return s.headline(j)
}

func (h *headlines) of(j *jobs.Job) (headline, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	line, ok := h.known[attemptKey(j.ID, j.Attempt)]
	return line, ok
}

// attemptKey names an attempt in a map.
func attemptKey(id string, attempt int) string { return fmt.Sprintf("%s %d", id, attempt) }
