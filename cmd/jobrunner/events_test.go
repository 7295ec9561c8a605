//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// heard is one event that a client of the page was told of.
type heard struct {
	id, name string
	job      struct{ ID, State string }
}

// events follows the jobs on the page, from the event of that id on, and ends
// with the daemon.
func (w *world) events(client *http.Client, last string) <-chan heard {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	w.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/v1/events", nil)
	if err != nil {
		w.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	var answer *http.Response
	w.until("the page answers", func() (err error) {
		answer, err = client.Do(r)
		return err
	})
	in := bufio.NewScanner(answer.Body)
	in.Scan() // retry: it has begun, and what changes from now on is told
	all := make(chan heard, 1000)
	go func() {
		defer answer.Body.Close()
		defer close(all)
		var one heard
		for in.Scan() {
			switch field, value, _ := strings.Cut(in.Text(), ": "); field {
			case "id":
				one.id = value
			case "event":
				one.name = value
			case "data":
				_ = json.Unmarshal([]byte(value), &one.job)
			case "":
				if one.name == "job" || one.name == "bye" {
					all <- one
				}
				one = heard{}
			}
		}
	}()
	return all
}

// Whoever follows the jobs misses nothing though the daemon is killed, and is
// told nothing twice: the numbers go on.
func TestEventsGoOnAfterAKill(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.write("jobrunner.yaml", "listen: unix:"+w.path("page.sock")+"\ntypes: {say: {command: [echo]}}\n")
	client := socketClient(t, w.path("page.sock"))
	w.start()
	var all []heard
	last := ""
	for round, blow := range []syscall.Signal{syscall.SIGKILL, syscall.SIGKILL, syscall.SIGTERM} {
		follow := w.events(client, last)
		good := strings.TrimSpace(w.run("add", "say", "a"))
		w.try("add", "no-such-type")
		for states := []string{"PENDING", "RUNNING", "RUNNING", "COMPLETED", "REJECTED"}; len(states) > 0; {
			one, ok := <-follow
			if !ok {
				t.Fatalf("round %d: the stream ended; still to come: %v", round, states)
			}
			all, last = append(all, one), one.id
			n := slices.Index(states, one.job.State)
			if n < 0 || one.job.State != "REJECTED" && (n > 0 || one.job.ID != good) {
				t.Fatalf("round %d: got %+v, still to come: %v", round, one, states)
			}
			states = slices.Delete(states, n, n+1)
		}
		w.end(blow)
		for one := range follow {
			if blow == syscall.SIGKILL || one.name != "bye" {
				t.Errorf("round %d: after %v came %+v", round, blow, one)
			} else {
				blow = 0
			}
		}
		if blow == syscall.SIGTERM {
			t.Error("the daemon ended without a word")
		}
		w.start()
	}
	again := w.events(client, "0")
	for _, want := range all {
		if got := <-again; got.id != want.id || got.name != want.name || got.job != want.job {
			t.Errorf("from the beginning: got %+v, want %+v", got, want)
		}
	}
}
