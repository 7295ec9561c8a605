package jobs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// add takes key:value and returns what is wrong with it in words.
func (t *terms) add(key, value string, not bool, now time.Time) string {
	switch key {
	case "state":
		return t.addStates(value, not)
	case "type":
		if !not {
			t.types = append(t.types, value)
			return ""
		}
		t.conditions = append(t.conditions, typeCondition(value))
	case "id":
		return t.addID(&t.id, key, value, not, func(j *Job) string { return j.ID })
	case "group":
		return t.addID(&t.group, key, value, not, func(j *Job) string { return j.Group })
	case "since", "older":
		return t.addTime(key, value, not, now)
	case "exit":
		return t.addExit(value, not)
	case "attempt", "priority":
		return t.addNumber(key, value, not)
	case "took":
		return t.addTook(value, not, now)
	case "name":
		t.conditions = append(t.conditions, textCondition("name", value, not, func(j *Job) string { return j.Name }))
	case "source":
		t.conditions = append(t.conditions, textCondition("source", value, not, func(j *Job) string { return j.Source }))
	case "signal":
		t.conditions = append(t.conditions, textCondition("signal", value, not, func(j *Job) string { return j.Signal }))
	case "label":
		name, wanted, valued := strings.Cut(value, "=")
		t.conditions = append(t.conditions, labelCondition(name, wanted, valued, not))
	}
	return ""
}

func (t *terms) addStates(value string, not bool) string {
	var list []State
	for _, word := range strings.Split(value, ",") {
		s, ok := ParseState(strings.ToUpper(word))
		if !ok {
			return fmt.Sprintf("unknown state %q in %q; %s", word, "state:"+value, stateHint(word))
		}
		list = append(list, s)
	}
	if !not {
		t.states = append(t.states, list...)
		return ""
	}
	t.conditions = append(t.conditions, condition{not: true, where: "state IN (" + quotedStates(list) + ")", exact: true,
		match: func(j *Job) bool { return slices.Contains(list, j.State) }})
	return ""
}

// stateHint says what the states are, and which one may have been meant.
func stateHint(word string) string {
	words := make([]string, len(States))
	for i, s := range States {
		words[i] = strings.ToLower(string(s))
	}
	if near := Match(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return "the states are " + strings.Join(words, ", ")
}

func (t *terms) addID(known *string, key, value string, not bool, of func(*Job) string) string {
	if !not {
		return longer(known, key, value)
	}
	var prefix string
	if message := longer(&prefix, key, value); message != "" {
		return message
	}
	t.conditions = append(t.conditions, condition{not: true, match: func(j *Job) bool { return strings.HasPrefix(of(j), prefix) }})
	return ""
}

// addTime takes since: and older:, which of several count together. What is not
// submitted since a time is older than it.
func (t *terms) addTime(key, value string, not bool, now time.Time) string {
	at, ok := ParseWhen(value, now)
	if !ok {
		return fmt.Sprintf("%q in %q is no time; give how long ago, as in %s:36h or %s:2d, or a date, as in %s:2026-12-01 or %s:2026-12-01T14:30",
			value, key+":"+value, key, key, key, key)
	}
	switch since := (key == "since") != not; {
	case since && at.After(t.since):
		t.since = at
	case !since && (t.until.IsZero() || at.Before(t.until)):
		t.until = at
	}
	return ""
}

func (t *terms) addExit(value string, not bool) string {
	op, rest := comparison(value, "=")
	var codes []int
	for _, word := range strings.Split(rest, ",") {
		code, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Sprintf("%q in %q is no exit status", word, "exit:"+value)
		}
		codes = append(codes, code)
	}
	if len(codes) > 1 && op != "=" {
		return fmt.Sprintf("%q compares with several exit statuses; give one", "exit:"+value)
	}
	if len(codes) == 1 && op == "=" && !not {
		t.exit = &codes[0]
	}
	where, args := anyOf("exit_code "+op+" ?", codes)
	t.conditions = append(t.conditions, condition{not: not, where: where, args: args, exact: true, match: func(j *Job) bool {
		return j.ExitCode != nil && slices.ContainsFunc(codes, func(c int) bool { return holds(op, *j.ExitCode, c) })
	}})
	return ""
}

// anyOf is the condition that one of the values fulfils.
func anyOf(condition string, values []int) (string, []any) {
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	return "(" + strings.Join(slices.Repeat([]string{condition}, len(values)), " OR ") + ")", args
}

func (t *terms) addNumber(key, value string, not bool) string {
	op, rest := comparison(value, "=")
	n, err := strconv.Atoi(rest)
	if err != nil {
		return fmt.Sprintf("%q in %q is no whole number; give one as in %s:1 or %s:>1", rest, key+":"+value, key, key)
	}
	of := map[string]func(*Job) int{
		"attempt":  func(j *Job) int { return j.Attempt },
		"priority": func(j *Job) int { return j.Priority },
	}[key]
	t.conditions = append(t.conditions, condition{not: not, where: key + " " + op + " ?", args: []any{n}, exact: true,
		match: func(j *Job) bool { return holds(op, of(j), n) }})
	return ""
}

// addTook takes how long jobs have run, also those that run still.
func (t *terms) addTook(value string, not bool, now time.Time) string {
	op, rest := comparison(value, ">=")
	d, ok := parseAge(rest)
	if !ok {
		return fmt.Sprintf("%q in %q is no duration; give one as in took:90s, took:2h or took:<5m", rest, "took:"+value)
	}
	t.conditions = append(t.conditions, condition{not: not, exact: true, args: []any{toMillis(now), d.Milliseconds()},
		where: "(started_at > 0 AND state <> 'PENDING' AND (finished_at > 0 OR state = 'RUNNING') AND iif(finished_at > 0, finished_at, ?) - started_at " + op + " ?)",
		match: func(j *Job) bool {
			end := j.FinishedAt
			if j.State == Running {
				end = now
			}
			return j.State != Pending && !j.StartedAt.IsZero() && !end.IsZero() && holds(op, end.Sub(j.StartedAt).Milliseconds(), d.Milliseconds())
		}})
	return ""
}

// comparison takes the sign off with which a value begins; usual stands for none.
func comparison(value, usual string) (op, rest string) {
	for _, op := range []string{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(value, op); ok {
			return op, rest
		}
	}
	return usual, value
}

func holds[T int | int64](op string, a, b T) bool {
	switch op {
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "<":
		return a < b
	case "<=":
		return a <= b
	}
	return a == b
}

// ParseWhen reads how long ago something was, or a time: a date alone is its
// beginning in this machine's zone.
func ParseWhen(value string, now time.Time) (time.Time, bool) {
	if d, ok := parseAge(value); ok {
		return now.Add(-d), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, value, time.Local); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// ageUnits are those that Go's durations do not have.
var ageUnits = map[byte]time.Duration{'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour}

// parseAge reads a duration that may begin with weeks and days: 2d, 1w, 1d12h.
func parseAge(value string) (time.Duration, bool) {
	var sum time.Duration
	rest := value
	for _, unit := range []byte("wd") {
		number, after, ok := strings.Cut(rest, string(unit))
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n < 0 || n > 10_000 {
			return 0, false
		}
		sum, rest = sum+time.Duration(n*float64(ageUnits[unit])), after
	}
	if rest == "" {
		return sum, value != ""
	}
	d, err := time.ParseDuration(rest)
	return sum + d, err == nil && d >= 0
}
