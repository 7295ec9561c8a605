package schedule_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jobrunner/jobs"
	"jobrunner/schedule"
)

// A machine whose clock began in 1970, as some without a battery do, has missed
// more times than could be looked at one by one.
func TestHugeGap(t *testing.T) {
	for _, s := range []jobs.Schedule{every(time.Second), every(17 * time.Minute), cron(t, "* * * * *", "Europe/Berlin"), cron(t, "0 3 * * mon", "Europe/Berlin")} {
		for catchUp, made := range map[jobs.CatchUp]int{jobs.CatchUpNone: 0, jobs.CatchUpOne: 1, jobs.CatchUpAll: 1000} {
			if catchUp == jobs.CatchUpAll && s.Every != time.Second && s.Cron != "* * * * *" {
				continue // nothing new
			}
			t.Run(schedule.SpecOf(s)+" "+string(catchUp), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s.CatchUp = catchUp
					w := newWorld(t, s)
					time.Sleep(26*365*24*time.Hour + 90*time.Second) // from 2000 on
					begin := s.Next(time.Unix(7, 0))
					if err := w.queue.PutSchedule(bg, jobs.ScheduleState{Name: "poll", Spec: schedule.SpecOf(s), NextAt: begin}); err != nil {
						t.Fatal(err)
					}
					w.start()
					synctest.Wait()
					next := w.state("poll").NextAt
					w.stop()
					if !next.After(time.Now()) || s.Every > 0 && (time.Until(next) > s.Every || next.Sub(begin)%s.Every != 0) {
						t.Errorf("goes on at %v", next)
					}
					stats, err := w.queue.Stats(bg)
					if err != nil {
						t.Fatal(err)
					}
					late := 0 // of the last minute
					for at := s.Next(next.Add(-70 * time.Second).Add(-s.Every)); at.Before(next); at = s.Next(at) {
						if s.Every == 0 && !at.Before(time.Now().Add(-time.Minute)) {
							late++
						}
					}
					if got := stats.States[jobs.Pending]; s.Every == 0 && got != made+late {
						t.Errorf("made %d jobs, want %d", got, made+late)
					}
					same(t, "left out", strings.Contains(strings.Join(w.skips(), ""), "missed times are left out"), true)
				})
			})
		}
	}
}
