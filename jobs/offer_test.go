package jobs_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// offers makes an offer of one place, and keeps what became of it.
type offers struct {
	asked, told int
	begun       []*jobs.Job
	err         error
}

func offer(q *jobs.Queue) *offers {
	o := new(offers)
	q.Offer(&jobs.Offer{
		Choose: func(next jobs.NextFunc) []jobs.Start {
			o.asked++
			starts, _ := first(next)
			return starts
		},
		Begun: func(begun []*jobs.Job, err error) {
			o.told++
			o.begun, o.err = begun, err
		},
	})
	return o
}

// What comes in takes the place that is offered, and is accepted none the less.
func TestOffer(t *testing.T) {
	q, _ := openQueue(t)
	o := offer(q)
	both := accept(t, q, pendingJob(), pendingJob())
	if o.told != 1 || o.err != nil || len(o.begun) != 1 || o.begun[0].ID != both[0].ID {
		t.Fatalf("told %d times: begun %v, %v", o.told, o.begun, o.err)
	}
	same(t, "the begun job", o.begun[0], readJob(t, q, both[0].ID))
	same(t, "states", []jobs.State{o.begun[0].State, readJob(t, q, both[1].ID).State}, []jobs.State{jobs.Running, jobs.Pending})
	events, err := q.Events(bg, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	same(t, "events", kinds, []string{"accepted", "accepted", "starting"})

	execute(t, q, jobs.Hold, both[1].ID)
	if o.asked != 1 {
		t.Error("a place was offered although nothing came in")
	}
	q.Offer(nil)
	accept(t, q, pendingJob())
	if o.asked != 1 {
		t.Error("an offer was used that had been taken back")
	}
}

// Where everything is paused nobody gets the place, and nothing fails.
func TestOfferPaused(t *testing.T) {
	q, _ := openQueue(t)
	o := offer(q)
	_, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Command: &jobs.Command{Action: jobs.Pause}}, {Job: pendingJob()}}})
	if err != nil || len(o.begun) > 0 || o.err != nil || o.told > o.asked {
		t.Errorf("%v; told %d times: begun %v, %v", err, o.told, o.begun, o.err)
	}
}

// Who offers hears of a transaction that failed, and the job is not taken in.
func TestOfferFails(t *testing.T) {
	q, path := openQueue(t)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustExec(t, db, `CREATE TRIGGER broken BEFORE UPDATE OF state ON jobs WHEN new.state = 'RUNNING'
		BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	o := offer(q)
	j := pendingJob()
	intake := jobs.Intake{Entries: []jobs.Entry{{Job: j}}}
	if _, err := q.Accept(bg, intake); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("accepted with %v", err)
	}
	if o.told == 0 || o.told != o.asked || o.err == nil || o.begun != nil {
		t.Errorf("asked %d, told %d times: begun %v, %v", o.asked, o.told, o.begun, o.err)
	}
	if _, err := q.Job(bg, j.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("the job is there: %v", err)
	}
	q.Offer(nil)
	if _, err := q.Accept(bg, intake); err != nil {
		t.Error(err)
	}
}
