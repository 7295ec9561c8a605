package jobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"jobrunner/jobs"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func parseCron(t testing.TB, expression string, z *time.Location) func(time.Time) time.Time {
	t.Helper()
	next, err := jobs.ParseCron(expression, z)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestCronTimes(t *testing.T) {
	from := time.Date(2026, 1, 30, 22, 59, 30, 0, time.UTC) // a Friday
	for _, tt := range []struct {
		expression string
		want       string // the first three times
	}{
		{"* * * * *", "01-30 23:00, 01-30 23:01, 01-30 23:02"},
		{"*/20 * * * *", "01-30 23:00, 01-30 23:20, 01-30 23:40"},
		{"7/20 23 * * *", "01-30 23:07, 01-30 23:27, 01-30 23:47"},
		{"0,30 8-9 * * *", "01-31 08:00, 01-31 08:30, 01-31 09:00"},
		{"0 22-2/2 * * *", "01-31 00:00, 01-31 02:00, 01-31 22:00"},
		{"5 4 * * sun", "02-01 04:05, 02-08 04:05, 02-15 04:05"},
		{"5 4 * * 7", "02-01 04:05, 02-08 04:05, 02-15 04:05"},
		{"5 4 * * THU", "02-05 04:05, 02-12 04:05, 02-19 04:05"},
		{"0 9 * * MON-FRI", "02-02 09:00, 02-03 09:00, 02-04 09:00"},
		{"0 9 * * sat-mon", "01-31 09:00, 02-01 09:00, 02-02 09:00"},
		{"0 0 1 * *", "02-01 00:00, 03-01 00:00, 04-01 00:00"},
		{"0 0 31 * *", "01-31 00:00, 03-31 00:00, 05-31 00:00"},
		{"0 0 1 Jul,aug *", "07-01 00:00, 08-01 00:00, 07-01 00:00"},
		{"0 0 29 2 *", "02-29 00:00, 02-29 00:00, 02-29 00:00"},
		{"0 0 13 * fri", "02-06 00:00, 02-13 00:00, 02-20 00:00"},  // either is enough
		{"0 0 13 * */5", "02-13 00:00, 03-13 00:00, 09-13 00:00"},  // both: a field begins with *
		{"0 0 */2 * mon", "02-09 00:00, 02-23 00:00, 03-09 00:00"}, // both
		{"  @Daily ", "01-31 00:00, 02-01 00:00, 02-02 00:00"},
		{"@hourly", "01-30 23:00, 01-31 00:00, 01-31 01:00"},
		{"@midnight", "01-31 00:00, 02-01 00:00, 02-02 00:00"},
		{"@weekly", "02-01 00:00, 02-08 00:00, 02-15 00:00"},
		{"@monthly", "02-01 00:00, 03-01 00:00, 04-01 00:00"},
		{"@yearly", "01-01 00:00, 01-01 00:00, 01-01 00:00"},
		{"@annually", "01-01 00:00, 01-01 00:00, 01-01 00:00"},
	} {
		next := parseCron(t, tt.expression, time.UTC)
		var got []string
		for at := next(from); len(got) < 3; at = next(at) {
			got = append(got, at.Format("01-02 15:04"))
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("%q comes at %s, want %s", tt.expression, got, tt.want)
		}
	}
}

func TestCronFaults(t *testing.T) {
	for _, tt := range []struct{ expression, want string }{
		{"", `cron "" is empty; five fields`},
		{"0 2 * *", `cron "0 2 * *" has 4 fields, and five are needed; five fields: minute hour`},
		{"0 0 2 * * *", `has 6 fields, and five are needed; five fields: minute hour day month weekday, for example "0 2 * * *"; seconds and years are not taken`},
		{"60 2 * * *", `cron "60 2 * * *": "60" cannot be read as minute; 0 to 59`},
		{"0 24 * * *", `"24" cannot be read as hour; 0 to 23`},
		{"0 2 0 * *", `"0" cannot be read as day of the month`},
		{"0 2 * Foo *", `"foo" cannot be read as month; 1 to 12 or jan to dec`},
		{"0 2 * * 8", `"8" cannot be read as weekday`},
		{"*/90 * * * *", `"*/90" cannot be read as minute`},
		{"*/0 * * * *", `"*/0" cannot be read as minute`},
		{"*-5 * * * *", `"*-5" cannot be read as minute`},
		{"1,,2 * * * *", `"1,,2" cannot be read as minute`},
		{"1-5-7 * * * *", `"1-5-7" cannot be read as minute`},
		{"1/2/3 * * * *", `"1/2/3" cannot be read as minute`},
		{"-1 * * * *", `"-1" cannot be read as minute`},
		{"99999999999999999999 * * * *", `cannot be read as minute`},
		{"H * * * *", `"h" cannot be read as minute`},
		{"0 2 L * *", `"l" cannot be read as day of the month`},
		{"0 2 15w * *", `"15w" cannot be read as day of the month`},
		{"0 2 * * fri#2", `"fri#2" cannot be read as weekday`},
		{"0 2 * * fri-mon/2", `"fri-mon/2" cannot be read as weekday`},
		{"@every 5m", `cron "@every 5m" is no time of day; use the key every instead`},
		{"@reboot", `cron "@reboot" is unknown; known are @hourly`},
		{"TZ=Asia/Tokyo 0 2 * * *", `names a zone; write it with the key tz`},
		{"0 2 30 2 *", `cron "0 2 30 2 *" never comes: there is no such time`},
		{"0 2 31 4,6,9,11 *", `never comes`},
	} {
		next, err := jobs.ParseCron(tt.expression, time.UTC)
		if err == nil || next != nil {
			t.Errorf("ParseCron(%q) gives no error", tt.expression)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseCron(%q):\n got %s\nwant %s", tt.expression, err, tt.want)
		}
		var fault *jobs.Fault
		if !errors.As(err, &fault) {
			t.Errorf("ParseCron(%q) gives no *Fault", tt.expression)
		}
	}
}

// What only ever falls into the gap of a zone never comes there.
func TestCronOfTheGapAlone(t *testing.T) {
	const expression = "30 2-2/1 25-31 3 */7" // the last Sunday of March, by real time
	if _, err := jobs.ParseCron(expression, time.UTC); err != nil {
		t.Errorf("in UTC: %v", err)
	}
	if _, err := jobs.ParseCron(expression, zone(t, "Europe/Berlin")); err == nil {
		t.Error("in Berlin it is said to come, but 2:30 does not exist on that day")
	}
}

func TestCronAtClockChanges(t *testing.T) {
	for _, tt := range []struct {
		zone, expression, from string
		want                   string
	}{
		// Berlin: 2026-03-29 2:00 is 3:00; 2026-10-25 3:00 is 2:00 again.
		{"Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", "03-29 03:00 +0200, 03-30 02:30 +0200"},
		{"Europe/Berlin", "0 3 * * *", "2026-03-28T12:00:00Z", "03-29 03:00 +0200, 03-30 03:00 +0200"},
		{"Europe/Berlin", "*/15 2 * * *", "2026-03-28T12:00:00Z", "03-29 03:00 +0200, 03-30 02:00 +0200"},
		{"Europe/Berlin", "0,30 2,3 * * *", "2026-03-28T12:00:00Z", "03-29 03:00 +0200, 03-29 03:30 +0200"},
		{"Europe/Berlin", "30 * * * *", "2026-03-29T00:00:00Z", "03-29 01:30 +0100, 03-29 03:30 +0200"},
		{"Europe/Berlin", "0 */2 * * *", "2026-03-28T23:30:00Z", "03-29 04:00 +0200, 03-29 06:00 +0200"},
		{"Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", "10-25 02:30 +0200, 10-26 02:30 +0100"},
		{"Europe/Berlin", "30 2 * * *", "2026-10-25T01:10:00Z", "10-26 02:30 +0100, 10-27 02:30 +0100"},
		{"Europe/Berlin", "30 * * * *", "2026-10-25T00:00:00Z", "10-25 02:30 +0200, 10-25 02:30 +0100"},
		{"Europe/Berlin", "0 0-23/3 * * *", "2026-10-24T22:30:00Z", "10-25 03:00 +0100, 10-25 06:00 +0100"},
		// New York: 2026-03-08 2:00 is 3:00; 2026-11-01 2:00 is 1:00 again.
		{"America/New_York", "15 2 * * *", "2026-03-07T12:00:00Z", "03-08 03:00 -0400, 03-09 02:15 -0400"},
		{"America/New_York", "15 1 * * *", "2026-10-31T12:00:00Z", "11-01 01:15 -0400, 11-02 01:15 -0500"},
		// Lord Howe changes by half an hour: 2026-10-04 2:00 is 2:30; 2026-04-05 2:00 is 1:30.
		{"Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00:00Z", "10-04 02:30 +1100, 10-05 02:15 +1100"},
		{"Australia/Lord_Howe", "45 1 * * *", "2026-04-04T00:00:00Z", "04-05 01:45 +1100, 04-06 01:45 +1030"},
		{"Australia/Lord_Howe", "*/15 * * * *", "2026-10-03T15:15:00Z", "10-04 02:30 +1100, 10-04 02:45 +1100"},
		// In Santiago 2026-09-06 has no midnight: 0:00 is 1:00.
		{"America/Santiago", "@daily", "2026-09-05T12:00:00Z", "09-06 01:00 -0300, 09-07 00:00 -0300"},
		{"America/Santiago", "0 0 6 9 *", "2026-09-05T12:00:00Z", "09-06 01:00 -0300, 09-06 00:00 -0300"},
		{"Asia/Beirut", "0 0 * * sun", "2026-03-28T12:00:00Z", "03-29 01:00 +0300, 04-05 00:00 +0300"},
		// A leap year beyond the table of the zone.
		{"Europe/Berlin", "0 */12 * * *", "2040-12-31T00:00:00Z", "12-31 12:00 +0100, 01-01 00:00 +0100"},
		{"Europe/Berlin", "0 0 * * *", "2040-12-31T00:00:00Z", "01-01 00:00 +0100, 01-02 00:00 +0100"},
		{"Europe/Berlin", "30 */2 31 3 *", "2040-12-31T00:00:00Z", "03-31 00:30 +0100, 03-31 04:30 +0200"},
		// Apia left out 2011-12-30.
		{"Pacific/Apia", "0 12 * * *", "2011-12-29T23:00:00Z", "12-31 00:00 +1400, 12-31 12:00 +1400"},
	} {
		next := parseCron(t, tt.expression, zone(t, tt.zone))
		at, err := time.Parse(time.RFC3339, tt.from)
		if err != nil {
			t.Fatal(err)
		}
		first := next(at)
		const layout = "01-02 15:04 -0700"
		if got := first.Format(layout) + ", " + next(first).Format(layout); got != tt.want {
			t.Errorf("%q in %s after %s: got %s, want %s", tt.expression, tt.zone, tt.from, got, tt.want)
		}
	}
}

// Around every change of the clocks in several years, the times are those that
// a walk over every minute finds.
func TestCronAgainstEveryMinute(t *testing.T) {
	expressions := []string{
		"30 2 * * *", "0 0 * * *", "15 2 * * 0", "*/10 1-3 * * *", "5,35 0,1,2,3 * 3,4,9,10,11 *",
		"*/30 * * * *", "15 */2 * * *", "45 1-4/1 * * *",
	}
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone(t, name)
			changes := 0
			for at := time.Date(2022, 1, 1, 0, 0, 0, 0, z); at.Year() < 2028; changes++ {
				_, at = at.ZoneBounds()
				for _, e := range expressions {
					walkCron(t, e, z, at.UTC().Add(-27*time.Hour), at.Add(27*time.Hour))
				}
			}
			if changes < 12 {
				t.Errorf("%s changed its clocks %d times in six years", name, changes)
			}
		})
	}
}

// walkCron compares the times of an expression with those found by looking at
// the clock on the wall in every minute.
func walkCron(t *testing.T, expression string, z *time.Location, from, to time.Time) {
	t.Helper()
	next := parseCron(t, expression, z)
	naive := parseCron(t, expression, time.UTC)
	real := strings.ContainsAny(strings.Fields(expression)[1], "*/")
	shown := func(at time.Time) time.Time {
		at = at.In(z)
		return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
	}
	// matches reports whether the expression has a time after a and up to b.
	matches := func(a, b time.Time) bool {
		at := naive(a)
		return !at.After(b)
	}
	want := next(from.Add(-time.Second))
	furthest := shown(from.Add(-time.Minute)) // what the clock has shown so far at most
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		now := shown(at)
		hit := real && matches(now.Add(-time.Second), now)
		if !real && now.After(furthest) {
			hit = matches(furthest, now)
		}
		if now.After(furthest) {
			furthest = now
		}
		if hit != at.Equal(want) {
			t.Fatalf("%q in %v at %v: due %t, but the next time was given as %v", expression, z, at.In(z), hit, want)
		}
		if hit {
			want = next(at)
		}
	}
}

func FuzzCron(f *testing.F) {
	for _, s := range []string{"0 2 * * *", "*/5 * * * mon-fri", "@daily", "0 0 29 2 *", "0 0 30 2 *", "5-1/2 22-2 ? * 7", "TZ=UTC * * * * *"} {
		f.Add(s)
	}
	berlin := zone(f, "Europe/Berlin")
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expression string) {
		next, err := jobs.ParseCron(expression, berlin)
		if err != nil {
			return
		}
		for at := from; at.Before(from.Add(48 * time.Hour)); {
			then := next(at)
			if !then.After(at) {
				t.Fatalf("%q: after %v comes %v", expression, at, then)
			}
			at = then
		}
	})
}

func BenchmarkCron(b *testing.B) {
	for _, e := range []string{"30 2 * * *", "*/5 * * * *", "0 0 29 2 *"} {
		next := parseCron(b, e, zone(b, "Europe/Berlin"))
		b.Run(e, func(b *testing.B) {
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for b.Loop() {
				next(at)
			}
		})
	}
}
