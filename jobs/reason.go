package jobs

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	doubtReason = "its line is missing from the queue file: waits until that is decided"
	heldReason  = "held"

	// shownUnmet is how many of the jobs that one waits for its reason names.
	shownUnmet = 3
)

// reason is that of a PENDING job, the first that applies; "" if nothing known
// keeps it from starting. unmet are jobs that it waits for.
func (w *waits) reason(j *Job, unmet []string) string {
	t := w.typeOf(j.Type)
	switch brake := w.brakes.words(j.Type); {
	case w.catalog != nil && t == nil:
		return unconfigured(j.Type)
	case j.Doubt:
		return doubtReason
	case j.Hold:
		return heldReason
	case brake != "":
		return brake
	case len(unmet) > 0:
		return afterWords(j, unmet)
	case j.Due.After(w.now):
		return dueWords(j, w.now)
	case t == nil:
		return ""
	}
	if words := w.slotWords(j, t); words != "" {
		return words
	}
	return w.limitWords(t)
}

func unconfigured(name string) string { return fmt.Sprintf("type %q is not configured", name) }

// words is the reason of a PENDING job of that type that the brakes give; "" if
// they give none.
func (b Brakes) words(name string) string {
	switch {
	case b.All:
		return "paused"
	case b.Types[name]:
		return "paused: type " + name
	case b.Draining:
		return "draining"
	}
	return ""
}

// afterWords names the jobs that j waits for, in the order in which it names
// them itself if all of them are given.
func afterWords(j *Job, unmet []string) string {
	var first, shown []string
	for _, id := range slices.Concat(j.After, j.AfterAny, unmet) {
		if len(first) == shownUnmet {
			break
		}
		if slices.Contains(unmet, id) && !slices.Contains(first, id) {
			first = append(first, id)
			shown = append(shown, shortID(id))
		}
	}
	words := "after " + strings.Join(shown, ", ")
	all := len(unmet)
	if all == unmetMost {
		all = max(all, j.Unmet)
	}
	if more := all - len(shown); more > 0 {
		words += fmt.Sprintf(", and %d more", more)
	}
	return words
}

// dueWords says for what time a job waits.
func dueWords(j *Job, now time.Time) string {
	if j.Retried > 0 {
		return fmt.Sprintf("retry %d of %d in %s", j.Retried, j.Retries, roundUp(j.Due.Sub(now)))
	}
	return "not before " + j.Due.UTC().Format(time.RFC3339)
}

// roundUp gives whole seconds, so that "in 0s" is never said of what is to come.
func roundUp(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// slotWords says which slot a job waits for. Free tokens are kept from it only
// for a job that comes before it.
func (w *waits) slotWords(j *Job, t *Type) string {
	if w.slots == nil {
		return ""
	}
	for _, lack := range w.slots.Lacks(j.ID, t.Slots) {
		if lack.For == "" || w.heads[lack.For].before(j.Priority, j.Seq) {
			return lack.String()
		}
	}
	return ""
}

// limitWords says which limit keeps the jobs of a type from starting.
func (w *waits) limitWords(t *Type) string {
	if w.full(t) {
		return fmt.Sprintf("type limit: %s %d of %d running", t.Name, w.running[t.Name], t.MaxConcurrent)
	}
	return w.limitOfAll()
}

func (w *waits) limitOfAll() string {
	if w.catalog.MaxConcurrent > 0 && w.total >= w.catalog.MaxConcurrent {
		return fmt.Sprintf("limit: %d of %d running", w.total, w.catalog.MaxConcurrent)
	}
	return ""
}

// candidates is a condition that every PENDING job fulfils whose reason
// contains word, which is in lower case; "" if there can be none. Where a
// reason differs from job to job, it goes by the letters of such reasons, and
// whoever reads the jobs has the last word.
func (w *waits) candidates(word string) (condition string, args []any) {
	var either []string
	add := func(condition string, more ...any) {
		either = append(either, condition)
		args = append(args, more...)
	}
	if containsFold(doubtReason, word) {
		add("doubt = 1")
	}
	if containsFold(heldReason, word) {
		add("hold = 1")
	}
	if condition := afterCondition(word); condition != "" {
		add(condition, slices.Repeat([]any{pattern(word)}, strings.Count(condition, "?"))...)
	}
	if made(word, "not before 0123456789-:tz") || made(word, "retry of in hms0123456789.") {
		add("due > 0")
	}
	if types := w.typesSaying(word); len(types) > 0 {
		add("type IN (SELECT value FROM json_each(?))", packJSON(types))
	}
	if len(either) == 0 {
		return "", nil
	}
	return "state = 'PENDING' AND (" + strings.Join(either, " OR ") + ")", args
}

// afterCondition is that of jobs which wait for others; "" if word can be of no
// such reason. Each ? stands for its pattern.
func afterCondition(word string) string {
	const ids = `after_ok LIKE ? ESCAPE '\' OR after_any LIKE ? ESCAPE '\'`
	switch {
	case len(word) >= 3 && made(word, "0123456789"): // of an id or a number
		return "unmet > 0 AND (unmet > 3 OR " + ids + ")"
	case len(word) >= 3 && made(word, "0123456789abcdef"): // the words around ids have no three such letters
		return "unmet > 0 AND (" + ids + ")"
	case made(word, "after ,0123456789abcdef-"):
		return "unmet > 0"
	case made(word, "after , and more0123456789abcdef-"):
		return "unmet > 3" // it ends in "and 7 more"
	}
	return ""
}

// made reports whether word consists of these letters.
func made(word, letters string) bool { return strings.Trim(word, letters) == "" }

// typesSaying are the types of which jobs may wait for a reason that contains
// word and does not lie in the job itself.
func (w *waits) typesSaying(word string) []string {
	var types []string
	for _, name := range w.pending {
		if slices.ContainsFunc(w.typeWords(name), func(words string) bool { return containsFold(words, word) }) {
			types = append(types, name)
		}
	}
	return types
}

func (w *waits) typeWords(name string) []string {
	list := []string{w.brakes.words(name)}
	if w.catalog == nil {
		return list
	}
	t := w.catalog.Types[name]
	if t == nil {
		return []string{unconfigured(name)}
	}
	list = append(list, w.limitWords(t))
	if w.slots != nil {
		for _, lack := range w.slots.Lacks("", t.Slots) {
			list = append(list, lack.String())
		}
	}
	return list
}
