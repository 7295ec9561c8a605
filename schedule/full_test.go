package schedule_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jobrunner/jobs"
)

// While as many jobs wait as may, a schedule stands at its time; what catch_up
// says holds for the times that go by.
func TestNoRoom(t *testing.T) {
	for _, tt := range []struct {
		catchUp jobs.CatchUp
		made    int // once there is room, of three more times
		skips   int
	}{
		{jobs.CatchUpNone, 0, 3},
		{jobs.CatchUpOne, 1, 1},
		{jobs.CatchUpAll, 3, 0},
	} {
		t.Run(string(tt.catchUp), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := every(10 * time.Minute)
				s.CatchUp = tt.catchUp
				w := newWorld(t, s)
				limited := *w.catalog.Load()
				limited.MaxPending = 2
				w.catalog.Store(&limited)
				w.start()
				time.Sleep(45 * time.Minute)
				same(t, "jobs while there is no room", len(w.made()), 2)
				list, err := w.queue.Scheduled(bg, &limited, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				if tt.catchUp != jobs.CatchUpNone {
					same(t, "reason", list[0].Reason, "is due and waits: 2 jobs wait already (max_pending)")
				}
				time.Sleep(7 * time.Minute)
				w.finish()
				wider := limited
				wider.MaxPending = 100
				w.catalog.Store(&wider)
				time.Sleep(2 * time.Minute)
				same(t, "jobs once there is room", len(w.made())-2, tt.made)
				same(t, "events", len(w.skips()) > 0, tt.skips > 0)
				w.stop()
				if n := strings.Count(w.log.String(), "2 jobs wait already (max_pending)"); n == 0 || n > 3 {
					t.Errorf("that there is no room is logged %d times", n)
				}
			})
		})
	}
}
