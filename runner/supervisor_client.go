package runner

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"jobrunner/jobs"
)

// client is one that is connected to the supervisor.
type client struct {
	wire *wire
}

// talk answers one client until it hangs up.
func (s *supervisor) talk(conn net.Conn) {
	c := &client{wire: newWire(conn)}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer c.wire.close()
	wg.Go(c.wire.pump)
	if !s.admit(c, false) {
		return
	}
	defer s.dismiss(c)

	_ = conn.SetReadDeadline(time.Now().Add(helloTime))
	greeted := false
	for {
		var r request
		err := c.wire.receive(&r)
		var bad *messageError
		switch {
		case errors.As(err, &bad):
			c.answer(reply{Number: r.Number, Error: bad.Error()})
			continue
		case err != nil:
			return
		case greeted:
			s.handle(c, &r)
			continue
		case r.Op != opHello:
			c.answer(reply{Number: r.Number, Error: "the first message must be hello"})
			continue
		}
		if r.Oldest > protocolVersion {
			c.answer(reply{Number: r.Number, Error: fmt.Sprintf("the running supervisor (pid %d) speaks protocol %d, this jobrunner needs %d or later", os.Getpid(), protocolVersion, r.Oldest)})
			continue
		}
		if !s.admit(c, true) {
			return
		}
		greeted = true
		_ = conn.SetReadDeadline(time.Time{})
		c.answer(reply{Number: r.Number, Version: protocolVersion, Oldest: protocolOldest, Instance: s.instance, PID: os.Getpid()})
	}
}

// answer sends a reply. A client that has gone asks again when it is back.
func (c *client) answer(r reply) { _ = c.wire.send(r) }

// handle does what a request asks for. It does not wait for processes.
func (s *supervisor) handle(c *client, r *request) {
	switch r.Op {
	case opStart:
		s.start(c, r)
	case opEnd:
		a := s.attempt(attemptKey{r.ID, r.Attempt})
		if a == nil {
			c.answer(reply{Number: r.Number, Error: "this attempt is not known"})
			return
		}
		go a.end(r.Why, r.Grace) // its attempt waits for it
		c.answer(reply{Number: r.Number})
	case opAck:
		err := s.forget(attemptKey{r.ID, r.Attempt})
		if r.Number != 0 {
			c.answer(reply{Number: r.Number, Error: words(err)})
		}
	case opSync:
		c.answer(reply{Number: r.Number})
	case opAttempts:
		go func() { c.answer(reply{Number: r.Number, Attempts: s.list()}) }()
	default:
		c.answer(reply{Number: r.Number, Error: fmt.Sprintf("unknown operation %q", r.Op)})
	}
}

func words(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// start starts an attempt, or answers with what is known of it.
func (s *supervisor) start(c *client, r *request) {
	sp := r.Spec
	if sp == nil || sp.ID == "" {
		c.answer(reply{Number: r.Number, Error: "a start without a job"})
		return
	}
	if state, ok := s.journal.before(sp.key()); ok {
		if !state.Ended {
			c.answer(reply{Number: r.Number, Error: "an earlier supervisor has begun to start it"})
			return
		}
		c.answer(reply{Number: r.Number, State: &state})
		return
	}
	a, fresh, err := s.claim(sp)
	if err != nil {
		c.answer(reply{Number: r.Number, Error: err.Error()})
		return
	}
	jobs.Step("attempt: asked for")
	by := asker{c, r.Number} // not r, which a long run would keep in memory
	// The supervisor stays until every attempt has ended and is acknowledged.
	if fresh {
		go a.run(sp, by)
		return
	}
	go func() {
		<-a.started
		by.tell(a, a.look())
	}()
}

// asker is who has asked for the start of an attempt, and by which request.
type asker struct {
	client *client
	number uint64
}

// tell answers the request: that the attempt was not tried, or how it stands.
func (by asker) tell(a *attempt, state attemptState) {
	if a.refused != nil {
		by.client.answer(reply{Number: by.number, Error: a.refused.Error(), Hindered: true})
		return
	}
	by.client.answer(reply{Number: by.number, State: &state})
	jobs.Step("attempt: start answered")
}

// claim returns the attempt, and whether it is a new one that is to be run.
// An attempt that has been acknowledged is not run again.
func (s *supervisor) claim(sp *spec) (a *attempt, fresh bool, err error) {
	k := sp.key()
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.attempts[k]; a != nil {
		return a, false, nil
	}
	if s.past.has(k) {
		return nil, false, errors.New("its end was acknowledged")
	}
	a = &attempt{
		s: s, timeout: sp.Timeout, grace: sp.Grace, started: make(chan struct{}),
		state: attemptState{ID: sp.ID, Attempt: sp.Attempt, Argv: sp.Argv, Log: sp.Log, Timeout: sp.Timeout, Success: sp.Success, Slots: sp.Slots,
			Script: sp.Script, RunAs: wordOf(sp.Account), MaxLog: sp.Limits.Log},
	}
	s.attempts[k] = a
	return a, true, nil
}

func (s *supervisor) attempt(k attemptKey) *attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts[k]
}

// startTime is how long a list waits for attempts that are just being started.
const startTime = 2 * time.Second

// list returns the state of all attempts.
func (s *supervisor) list() []attemptState {
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.attempts))
	s.mu.Unlock()
	late := time.After(startTime)
	states := make([]attemptState, 0, len(all))
	for _, a := range all {
		select {
		case <-a.started:
			if a.refused == nil {
				states = append(states, a.look())
			}
		case <-late:
			late = time.After(0)
			states = append(states, a.look())
		}
	}
	return states
}

// drop forgets an attempt that was never tried.
func (s *supervisor) drop(k attemptKey) {
	s.mu.Lock()
	delete(s.attempts, k)
	s.mu.Unlock()
	s.settle()
}

// forget forgets an attempt whose end is committed elsewhere. One that was never
// started will not be, should somebody still ask for it.
func (s *supervisor) forget(k attemptKey) error {
	s.mu.Lock()
	a := s.attempts[k]
	if a != nil && !a.look().Ended {
		s.mu.Unlock()
		return errors.New("it has not ended yet")
	}
	delete(s.attempts, k)
	s.past.add(k)
	s.mu.Unlock()
	s.journal.acked(k.ID, k.Attempt)
	jobs.Step("attempt: forgotten")
	s.settle()
	return nil
}

// publish tells all clients that an attempt has ended, but for one that knows; nil
// if none does.
func (s *supervisor) publish(state attemptState, knows *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, greeted := range s.clients {
		if greeted && c != knows {
			c.answer(reply{Event: eventEnded, State: &state})
		}
	}
}

// pastAttempts remembers the last attempts that were acknowledged, so that a
// start that was asked for long ago and comes late does nothing.
type pastAttempts struct {
	set  map[attemptKey]struct{}
	ring []attemptKey
	next int
}

const keepPast = 1024

func (p *pastAttempts) has(k attemptKey) bool {
	_, ok := p.set[k]
	return ok
}

func (p *pastAttempts) add(k attemptKey) {
	if p.set == nil {
		p.set = make(map[attemptKey]struct{})
	}
	if len(p.ring) < keepPast {
		p.ring = append(p.ring, k)
	} else {
		delete(p.set, p.ring[p.next])
		p.ring[p.next] = k
		p.next = (p.next + 1) % keepPast
	}
	p.set[k] = struct{}{}
}
