package jobs

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// ParseCron reads a cron expression and returns what Schedule.Next is: five
// fields as in crontab(5), or a word such as @daily. The error is a *Fault
// without a place, in words for whoever wrote the expression.
//
// Where a zone changes its clocks, an expression whose hour is fixed means the
// wall clock: a time that does not exist on that day comes right after the gap,
// one that exists twice comes once, at the first. An expression whose hour is *
// or has a step follows real time.
func ParseCron(expression string, zone *time.Location) (func(time.Time) time.Time, error) {
	fields, fault := cronFields(expression)
	if fault != nil {
		return nil, fault
	}
	c := cronTimes{zone: zone}
	for i, f := range fields {
		if !cronKinds[i].reads(f) {
			return nil, &Fault{
				Message: fmt.Sprintf("cron %s: %s cannot be read as %s", shown(expression), shown(f), cronKinds[i].name),
				Hint:    cronKinds[i].hint,
			}
		}
	}
	// Both days restrict together if one of them begins with *, else either is
	// enough: crontab(5).
	options := cronPlaces
	if !starred(fields[2]) && !starred(fields[4]) {
		options |= cron.DowOrDom
	}
	spec, err := cron.MustNewParser(options).WithMaxSearchYears(cronYears).Parse(strings.Join(fields, " "))
	if err != nil {
		return nil, &Fault{Message: fmt.Sprintf("cron %s: %v", shown(expression), err), Hint: cronHint}
	}
	c.spec = spec
	next := c.fixed
	if strings.ContainsAny(fields[1], "*?/") {
		next = c.real
	}
	if next(time.Now()).IsZero() {
		return nil, &Fault{Message: fmt.Sprintf("cron %s never comes: there is no such time", shown(expression))}
	}
	return next, nil
}

const (
	cronPlaces = cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow
	cronYears  = 50 // 29 February of a certain weekday comes after 40 years at most
	cronHint   = `five fields: minute hour day month weekday, for example "0 2 * * *"`
)

// cronWords are whole expressions in one word.
var cronWords = map[string]string{
	"@hourly":   "0 * * * *",
	"@daily":    "0 0 * * *",
	"@midnight": "0 0 * * *",
	"@weekly":   "0 0 * * 0",
	"@monthly":  "0 0 1 * *",
	"@yearly":   "0 0 1 1 *",
	"@annually": "0 0 1 1 *",
}

// cronFields gives the five fields of an expression, in lower case.
func cronFields(expression string) ([]string, *Fault) {
	text := strings.ToLower(strings.TrimSpace(expression)) // the library takes the H of THU for a function
	if whole, ok := cronWords[text]; ok {
		text = whole
	}
	fields := strings.Fields(text)
	fault := func(what, hint string) ([]string, *Fault) {
		return nil, &Fault{Message: fmt.Sprintf("cron %s %s", shown(expression), what), Hint: hint}
	}
	switch {
	case len(fields) == 0:
		return fault("is empty", cronHint)
	case strings.HasPrefix(text, "@every"):
		return fault("is no time of day", "use the key every instead, for example every: 15m")
	case text[0] == '@':
		return fault("is unknown", "known are @hourly, @daily, @weekly, @monthly, @yearly")
	case strings.Contains(fields[0], "tz="):
		return fault("names a zone", "write it with the key tz, for example tz: Europe/Berlin")
	case len(fields) == 6:
		return fault("has 6 fields, and five are needed", cronHint+"; seconds and years are not taken")
	case len(fields) != 5:
		return fault(fmt.Sprintf("has %d fields, and five are needed", len(fields)), cronHint)
	}
	return fields, nil
}

// cronKind is one of the five fields.
type cronKind struct {
	name  string
	hint  string
	place cron.ParseOption
}

var cronKinds = [5]cronKind{
	{"minute", "0 to 59, also as list 0,30, range 0-15 or step */5", cron.Minute},
	{"hour", "0 to 23, also as list 2,14, range 8-17 or step */2", cron.Hour},
	{"day of the month", "1 to 31, also as list 1,15, range 1-7 or step */2", cron.Dom},
	{"month", "1 to 12 or jan to dec, also as list 3,9, range jun-aug or step */3", cron.Month},
	{"weekday", "0 to 7 or sun to sat (0 and 7 are Sunday), also as list mon,thu or range mon-fri", cron.Dow},
}

// cronItem is stricter than the library, which passes over what it does not
// understand in some places.
var cronItem = regexp.MustCompile(`^([*?]|([a-z]+|[0-9]+)(-([a-z]+|[0-9]+))?)(/[0-9]+)?$`)

// reads reports whether f can stand in this field.
func (k cronKind) reads(f string) bool {
	for _, item := range strings.Split(f, ",") {
		m := cronItem.FindStringSubmatch(item)
		if m == nil {
			return false
		}
		if _, err := cron.MustNewParser(k.place).Parse(item); err != nil {
			return false
		}
		// Of a range over the end of the week with a step, the library counts
		// Sunday twice.
		if k.place == cron.Dow && m[3] != "" && m[5] != "" && weekday(m[2]) > weekday(m[4]) {
			return false
		}
	}
	return true
}

// weekday gives a value that grows from Sunday, 0, to Sunday, 7.
func weekday(name string) uint64 {
	if name == "7" {
		return 1 << 7
	}
	s, err := cron.MustNewParser(cron.Dow).Parse(name)
	if spec, ok := s.(*cron.SpecSchedule); err == nil && ok {
		return spec.Dow
	}
	return 0
}

func starred(f string) bool { return strings.HasPrefix(f, "*") || strings.HasPrefix(f, "?") }

// cronTimes are the times of one expression. The library matches it against
// wall clocks written in UTC, where every time exists once; what a zone makes
// of that is decided here.
type cronTimes struct {
	spec cron.Schedule
	zone *time.Location
}

// fixed gives the first time after t at which the wall clock has reached a time
// of the expression that it had not reached before.
func (c cronTimes) fixed(t time.Time) time.Time {
	for w := c.spec.Next(wall(t.In(c.zone))); !w.IsZero(); w = c.spec.Next(w) {
		if at := c.reached(w); at.After(t) {
			return at
		}
	}
	return time.Time{}
}

// mostOffset is further from UTC than any zone ever was.
const mostOffset = 17 * time.Hour

// reached gives the moment at which the wall clock first shows w or something
// later: right after the gap if w is in one.
func (c cronTimes) reached(w time.Time) time.Time {
	at := w.Add(-mostOffset).In(c.zone) // not yet
	for {
		end := steadyUntil(at)
		shows := w.Add(-offset(at)).In(c.zone)
		if shows.Before(at) {
			return at
		}
		if end.IsZero() || shows.Before(end) {
			return shows
		}
		at = end
	}
}

// real gives the first time after t at which the wall clock shows a time of the
// expression, be it for the second time.
func (c cronTimes) real(t time.Time) time.Time {
	at := t.In(c.zone)
	from := wall(at)
	for last := at.AddDate(cronYears, 0, 0); at.Before(last); {
		w := c.spec.Next(from)
		if w.IsZero() {
			break
		}
		end := steadyUntil(at)
		shows := w.Add(-offset(at)).In(c.zone)
		if end.IsZero() || shows.Before(end) {
			return shows
		}
		at, from = end, wall(end).Add(-time.Second)
	}
	return time.Time{}
}

// steadyUntil gives a time after t up to which the clocks are not changed; zero
// means for ever. On the last day of a leap year that lies beyond the table of
// the zone (2040), ZoneBounds gives an end that has passed.
func steadyUntil(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return t.Add(time.Hour)
	}
	return end
}

// wall is what the clock on the wall shows at t, as if it were UTC.
func wall(t time.Time) time.Time { return t.UTC().Add(offset(t)) }

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
