package schedule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jobrunner/jobs"
	"jobrunner/schedule"
)

func TestOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := every(10 * time.Minute)
		s.Overlap = jobs.OverlapSkip
		w := newWorld(t, s)
		w.start()
		time.Sleep(35 * time.Minute)
		first := w.made()
		same(t, "jobs while the first waits", len(first), 1)
		left := fmt.Sprintf("poll: left out: %s of the run before is PENDING", first[0].ID[:8])
		same(t, "left out", w.skips(), []string{left, left})
		w.finish()
		time.Sleep(10 * time.Minute)
		same(t, "jobs once it has ended", len(w.made()), 2)
	})
}

// Of a sweep, each job counts as the run before.
func TestOverlapOfSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := every(10 * time.Minute)
		s.Overlap = jobs.OverlapSkip
		s.Request = &jobs.Request{Type: "train", Args: []string{"{lr}"},
			Foreach: []jobs.Axis{{Name: "lr", Values: []string{"0.1", "0.01"}}}}
		w := newWorld(t, s)
		w.start()
		time.Sleep(11 * time.Minute)
		made := w.made()
		same(t, "jobs of the sweep", len(made), 2)
		same(t, "their group", made[0].Group != "" && made[0].Group == made[1].Group, true)
		if _, err := w.queue.Execute(bg, jobs.Command{Action: jobs.Cancel, IDs: []string{made[0].ID}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		same(t, "jobs while one of them waits", len(w.made()), 2)
		w.finish()
		time.Sleep(10 * time.Minute)
		made = w.made()
		same(t, "jobs once both have ended", len(made), 4)
		same(t, "group of the next", made[3].Group != made[0].Group, true)
	})
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, every(time.Hour))
		w.start()
		time.Sleep(50 * time.Minute)

		// Other times: it begins anew, from now.
		w.configure(every(20 * time.Minute))
		time.Sleep(15 * time.Minute)
		same(t, "jobs before the new time", len(w.made()), 0)
		time.Sleep(10 * time.Minute)
		same(t, "jobs at the new time", len(w.made()), 1)

		// Another request and the same times: it goes on.
		s := every(20 * time.Minute)
		s.Request = &jobs.Request{Type: "train", Args: []string{"2"}}
		w.configure(s)
		time.Sleep(15*time.Minute + time.Second)
		made := w.made()
		same(t, "jobs after the next time", len(made), 2)
		same(t, "arguments", made[len(made)-1].Args, []string{"2"})

		// Removed: it is forgotten, and begins anew when it comes again.
		w.configure()
		time.Sleep(time.Hour)
		same(t, "jobs once it is removed", len(w.made()), 2)
		same(t, "state once it is removed", w.state("poll"), jobs.ScheduleState{})
		w.configure(s)
		time.Sleep(19 * time.Minute)
		same(t, "jobs before it comes again", len(w.made()), 2)
		time.Sleep(2 * time.Minute)
		same(t, "jobs when it comes again", len(w.made()), 3)
	})
}

// Times that were dealt with do not come again if the clock is set back.
func TestClockSetBack(t *testing.T) {
	for _, tt := range []struct {
		schedule jobs.Schedule
		back     time.Duration
		made     int // in the three hours after that
	}{
		{every(20 * time.Minute), time.Hour, 6},
		{cron(t, "*/20 * * * *", "UTC"), time.Hour, 6},
		// So far that the clock was wrong: it does not stand still until that
		// time comes.
		{every(20 * time.Minute), 10 * 365 * 24 * time.Hour, 9},
		{cron(t, "*/20 * * * *", "UTC"), 10 * 365 * 24 * time.Hour, 9},
	} {
		t.Run(fmt.Sprint(schedule.SpecOf(tt.schedule), " by ", tt.back), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tt.schedule)
				err := w.queue.PutSchedule(bg, jobs.ScheduleState{
					Name: "poll", Spec: schedule.SpecOf(tt.schedule), NextAt: time.Now().Add(tt.back + 20*time.Minute),
				})
				if err != nil {
					t.Fatal(err)
				}
				w.start()
				time.Sleep(3*time.Hour + time.Second)
				same(t, "jobs made", len(w.made()), tt.made)
			})
		})
	}
}

// A time that is dealt with under a wrong clock and comes again makes the same
// job, which is not run again.
func TestSameTimeTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, every(20*time.Minute))
		w.start()
		time.Sleep(65 * time.Minute)
		w.stop()
		w.finish()
		s := w.state("poll")
		s.NextAt = s.NextAt.Add(-40 * time.Minute)
		if err := w.queue.PutSchedule(bg, s); err != nil {
			t.Fatal(err)
		}
		w.start()
		time.Sleep(time.Second)
		same(t, "jobs", len(w.made()), 3)
		for _, j := range w.made() {
			same(t, "state of a job that was finished", j.State, jobs.Cancelled)
		}
	})
}

// What cannot be taken is a REJECTED job that says why, and the schedule goes on.
func TestRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := every(10 * time.Minute)
		s.Request = &jobs.Request{Type: "trian", At: jobs.Position{File: "jobrunner.yaml", Line: 9, Column: 5}}
		w := newWorld(t, s)
		w.start()
		time.Sleep(21 * time.Minute)
		made := w.made()
		same(t, "jobs", len(made), 2)
		j := made[0]
		same(t, "job", []any{j.State, j.Target, j.Args, j.Source}, []any{jobs.Rejected, "trian", []string{"schedule:poll"}, "schedule:poll"})
		for _, want := range []string{"jobrunner.yaml:9:", `unknown type "trian"`, `did you mean "train"?`} {
			if !strings.Contains(j.Reason, want) {
				t.Errorf("reason: got %q, want one with %q", j.Reason, want)
			}
		}

		// The same for what only the queue knows.
		s.Request = &jobs.Request{Type: "train", After: []jobs.Ref{{Text: "3f2a91c0"}}}
		w.configure(s)
		time.Sleep(10 * time.Minute)
		made = w.made()
		same(t, "state of a job that waits for what is not known", made[2].State, jobs.Rejected)
		if !strings.Contains(made[2].Reason, "3f2a91c0") {
			t.Errorf("its reason: %q", made[2].Reason)
		}
	})
}

// A script that is to be run as it was is kept when its job is made.
func TestScriptIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := every(10 * time.Minute)
		s.Request = &jobs.Request{Script: "a.sh", Type: "copy"}
		w := newWorld(t, s)
		dir := w.catalog.Load().Dir
		if err := os.WriteFile(filepath.Join(dir, "a.sh"), []byte("echo 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.start()
		time.Sleep(11 * time.Minute)
		made := w.made()
		same(t, "jobs", len(made), 1)
		text, err := os.ReadFile(jobs.FrozenScript(dir, made[0].ScriptHash, ".sh"))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "what is kept", string(text), "echo 1\n")
	})
}

// While nothing can be written no time is lost; it is made up for at once.
func TestTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := every(10 * time.Second)
		s.Request = &jobs.Request{Script: "a.sh", Type: "copy"}
		w := newWorld(t, s)
		dir := w.catalog.Load().Dir
		if err := os.WriteFile(filepath.Join(dir, "a.sh"), []byte("echo 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		// Where copies are kept, a file is in the way.
		kept := filepath.Dir(jobs.FrozenScript(dir, "0", ".sh"))
		if err := os.WriteFile(kept, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		w.start()
		time.Sleep(25 * time.Second)
		same(t, "jobs while copies cannot be kept", len(w.made()), 0)
		if err := os.Remove(kept); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		same(t, "jobs once they can", len(w.made()), 5)
		w.stop()
		if n := strings.Count(w.log.String(), "trying again"); n != 1 {
			t.Errorf("the fault is logged %d times, want once:\n%s", n, w.log.String())
		}
	})
}
