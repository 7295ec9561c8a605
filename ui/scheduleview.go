package ui

import (
	"context"
	"fmt"
	"time"

	"jobrunner/jobs"
)

// scheduleView is a schedule and when it is next.
type scheduleView struct {
	Name, When, What string
	Next             *timeView
	Last             *timeView // nil if it never made a job
	LastURL          string    // the job that it made last
	Reason           string    // what may keep it from making jobs
}

// maxSchedules is how many a page shows.
const maxSchedules = 15

// viewSchedules shows the schedules that a page is about, the next one first.
func (s *server) viewSchedules(ctx context.Context, about func(jobs.Scheduled) bool) (views []scheduleView, more string, err error) {
	now := s.now()
	all, err := s.Queue.Scheduled(ctx, s.Catalog(), now)
	if err != nil {
		return nil, "", err
	}
	left := 0
	for _, sc := range all {
		switch {
		case !about(sc):
		case len(views) == maxSchedules:
			left++
		default:
			views = append(views, viewSchedule(sc, s))
		}
	}
	if left > 0 {
		more = fmt.Sprintf("and %d more", left)
	}
	return views, more, nil
}

func viewSchedule(sc jobs.Scheduled, s *server) scheduleView {
	now := s.now()
	v := scheduleView{
		Name: clean(sc.Name, maxName), Next: viewTime(sc.NextAt, now), Last: viewTime(sc.LastAt, now), Reason: clean(sc.Reason, maxName),
	}
	v.When = clean(sc.Cron+" "+scheduleZone(sc), maxName)
	if sc.Every > 0 {
		v.When = "every " + sc.Every.String()
	}
	if sc.Request != nil {
		v.What = words(append([]string{sc.Target()}, sc.Request.Args...), maxName, "")
	}
	if len(sc.Jobs) > 0 {
		v.LastURL = "/jobs/" + clean(sc.Jobs[0], 40)
	}
	return v
}

// scheduleZone names the zone of a schedule's clock.
func scheduleZone(sc jobs.Scheduled) string {
	if sc.Zone == nil || sc.Zone == time.Local {
		return zoneName(sc.NextAt)
	}
	return sc.ZoneName()
}
