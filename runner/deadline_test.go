package runner

import (
	"testing"
	"time"
)

func TestDeadline(t *testing.T) {
	const span = 30 * time.Millisecond
	began := time.Now()
	d := newDeadline(span)
	defer d.Stop()
	<-d.C()
	if took := time.Since(began); took < span {
		t.Errorf("came after %s, want not before %s", took, span)
	}
	for _, past := range []time.Duration{0, -time.Hour} {
		<-newDeadline(past).C()
	}
}

func TestDeadlineStopped(t *testing.T) {
	d := newDeadline(time.Hour)
	d.Stop()
	d.Stop()
	select {
	case <-d.C():
		t.Error("it came")
	default:
	}
	var none *deadline
	none.Stop()
	if none.C() != nil {
		t.Error("none comes")
	}
}

// Where no timer counts suspend, it is looked at how long the machine is up.
func TestDeadlineByUptime(t *testing.T) {
	d := &deadline{c: make(chan struct{}), done: make(chan struct{})}
	at := uptime() + 30*time.Millisecond
	go d.watch(at)
	<-d.C()
	if now := uptime(); now < at {
		t.Errorf("came at %s, want not before %s", now, at)
	}

	d = &deadline{c: make(chan struct{}), done: make(chan struct{})}
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		d.watch(uptime() + time.Hour)
	}()
	d.Stop()
	<-returned
}
