package hooks_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/hooks"
	"jobrunner/jobs"
)

// runCourier is a daemon that ends jobs, one after the other, and tells a
// server of it, until it is killed.
func runCourier(args []string) error {
	dir, url := args[0], args[1]
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		return err
	}
	catalog := &jobs.Catalog{Dir: dir, OnFinish: []jobs.Hook{webhook(url)}}
	c := hooks.New(hooks.Options{Queue: q, Catalog: func() *jobs.Catalog { return catalog }, Pause: time.Millisecond})
	if err := c.Prepare(bg); err != nil {
		return err
	}
	fmt.Println("ready")
	done := make(chan error, 1)
	go func() { done <- c.Run(bg) }()
	for {
		j := &jobs.Job{ID: uuid.NewString(), Type: "train", Target: "train", State: jobs.Pending}
		if _, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}}); err != nil {
			return err
		}
		if _, err := q.Execute(bg, jobs.Command{Action: jobs.Cancel, IDs: []string{j.ID}}); err != nil {
			return err
		}
	}
}

// However often the daemon is killed: each end is told of, and little twice.
func TestKilled(t *testing.T) {
	const kills, window = 8, 8
	var taken atomic.Int64
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if rand.N(5) == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		taken.Add(1)
	})
	dir := t.TempDir()
	for range kills {
		killCourier(t, dir, s.URL)
	}
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, queue: q, stop: func() {}}
	w.configure(&jobs.Catalog{Dir: dir, OnFinish: []jobs.Hook{webhook(s.URL)}})
	defer func() {
		w.stop()
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}()
	stats, err := q.Stats(bg)
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	w.await("all that ended", func() bool { return len(s.tells(t)) >= stats.States[jobs.Cancelled] })
	same(t, "jobs told of", len(s.tells(t)), stats.States[jobs.Cancelled])
	w.stop()
	if twice := int(taken.Load()) - stats.States[jobs.Cancelled]; twice > kills*window {
		t.Errorf("of %d jobs %d were told twice, after %d kills", stats.States[jobs.Cancelled], twice, kills)
	}
}

// killCourier starts a daemon in a process of its own and kills it a moment
// later.
func killCourier(t *testing.T, dir, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "courier", dir, url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscanln(out, new(string)); err != nil {
		t.Error("the daemon said nothing:", err)
	}
	timer := time.NewTimer(50*time.Millisecond + rand.N(200*time.Millisecond))
	defer timer.Stop()
	<-timer.C
	cancel()
	_ = cmd.Wait() // it was killed
}
