package runner

import "jobrunner/jobs"

// offer is what the scheduler offers while it waits for something to happen: the
// places that are free then, to jobs that come in. A place is given away by the
// goroutine that writes the queue, which holds idle from the choice until that is
// committed; the scheduler takes it from there.
func (s *scheduler) offer() *jobs.Offer {
	return &jobs.Offer{
		Choose: func(next jobs.NextFunc) []jobs.Start {
			if !s.idle.TryLock() {
				return nil // the scheduler is at work, and sees for itself
			}
			if !s.given {
				starts, err := s.choose(next)
				if err == nil && len(starts) > 0 {
					return starts // it stays locked
				}
			}
			s.idle.Unlock()
			return nil
		},
		Begun: func(begun []*jobs.Job, err error) {
			s.given, s.begun, s.begunErr = true, begun, err
			s.idle.Unlock()
			select {
			case s.wakeUp <- struct{}{}:
			default: // it is about to wake
			}
		},
	}
}

// takeGiven starts what got a place while the scheduler waited.
func (s *scheduler) takeGiven() {
	if !s.given {
		return
	}
	begun, err := s.begun, s.begunErr
	s.given, s.begun, s.begunErr = false, nil, nil
	s.launch(begun)
	if err != nil {
		s.doubt(s.work, err, "starts not recorded")
	}
}
