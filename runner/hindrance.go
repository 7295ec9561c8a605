package runner

import (
	"errors"
	"sync/atomic"
)

// hinderedError says that an attempt was not tried because of the machine: the
// disk of the state folder is full or broken, or there is no file to be had. It
// says nothing about the job, which waits and is tried again.
type hinderedError struct{ words string }

func (e *hinderedError) Error() string { return e.words }

// hindrance is what keeps every job from being started. The scheduler's
// goroutine and those of its slots share it.
type hindrance struct{ why atomic.Pointer[string] }

// words is why no job is started, "" if nothing keeps them.
func (h *hindrance) words() string {
	if why := h.why.Load(); why != nil {
		return *why
	}
	return ""
}

// met notes an answer to a start: err is nil if it was tried. It reports
// whether that is news.
func (h *hindrance) met(err error) bool {
	var hindered *hinderedError
	switch {
	case err == nil:
		return h.why.Swap(nil) != nil
	case !errors.As(err, &hindered):
		return false
	}
	was := h.why.Swap(&hindered.words)
	return was == nil || *was != hindered.words
}
