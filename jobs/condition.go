package jobs

import (
	"slices"
	"strings"
)

// condition is a term that is asked of each job.
type condition struct {
	match func(j *Job) bool // of a job whose reason is filled in
	not   bool              // it must not match

	// where is a condition that every match fulfils, so that the database need
	// not hand over the rest; "" if there is none. exact: nothing else fulfils it.
	where string
	args  []any
	exact bool

	word string // the condition of a word depends on why jobs wait
	like bool   // where searches in texts, which takes longer than to compare
}

func textCondition(column, value string, not bool, of func(*Job) string) condition {
	value = strings.ToLower(value)
	return condition{not: not, where: column + ` LIKE ? ESCAPE '\'`, args: []any{pattern(value)}, like: true,
		match: func(j *Job) bool { return containsFold(of(j), value) }}
}

func typeCondition(name string) condition {
	return condition{not: true, where: "type = ?", args: []any{name}, exact: true, match: func(j *Job) bool { return j.Type == name }}
}

func labelCondition(key, value string, valued, not bool) condition {
	t := condition{not: not, where: `labels LIKE ? ESCAPE '\'`, args: []any{pattern(key)}, like: true, match: func(j *Job) bool {
		v, ok := j.Labels[key]
		return ok && (!valued || v == value)
	}}
	if valued {
		t.where += ` AND labels LIKE ? ESCAPE '\'`
		t.args = append(t.args, pattern(value))
	}
	return t
}

// wordCondition looks for a word, in lower case, in all that a person sees of a job.
func wordCondition(word string, not bool) condition {
	return condition{not: not, word: word, like: true, match: func(j *Job) bool { return j.mentions(word) }}
}

// mentionedIn are the texts that a word is looked for in. One search in all of
// them takes half as long as one in each; a word that is found only across two
// of them is no match, and is sorted out afterwards.
const mentionedIn = "id || type || target || args || name || labels || reason"

// sql is where, completed for words.
func (c condition) sql(w *waits) (string, []any) {
	if c.word == "" {
		return c.where, c.args
	}
	where, args := "("+mentionedIn+`) LIKE ? ESCAPE '\'`, []any{pattern(c.word)}
	if more, moreArgs := w.candidates(c.word); more != "" {
		where, args = "("+where+" OR "+more+")", append(args, moreArgs...)
	}
	return where, args
}

// sql gives conditions that every match fulfils; match has the last word.
func (t *terms) sql(w *waits) (conditions string, args []any) {
	var b strings.Builder
	if !t.since.IsZero() {
		b.WriteString(" AND submitted_at >= ?")
		args = append(args, toMillis(t.since))
	}
	if !t.until.IsZero() {
		b.WriteString(" AND submitted_at < ?")
		args = append(args, toMillis(t.until))
	}
	for _, c := range t.conditions {
		where, some := c.sql(w)
		switch {
		case where == "" || c.not && !c.exact:
			continue
		case c.not:
			where = "NOT ifnull(" + where + ", 0)"
		}
		b.WriteString(" AND " + where)
		args = append(args, some...)
	}
	return b.String(), args
}

// pattern is a LIKE pattern that matches every text that contains word. What
// JSON may have written otherwise, and letters whose case LIKE does not know,
// match anything.
func pattern(word string) string {
	var b strings.Builder
	b.WriteByte('%')
	wild := true
	for _, r := range word {
		switch {
		case r <= ' ' || r >= 0x7f || strings.ContainsRune(`"\=`, r):
			if !wild {
				b.WriteByte('%')
			}
			wild = true
			continue
		case r == '%' || r == '_':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		wild = false
	}
	if !wild {
		b.WriteByte('%')
	}
	return b.String()
}

// match reports whether j, whose reason is filled in, is what was asked for.
func (t *terms) match(j *Job) bool {
	if len(t.states) > 0 && !slices.Contains(t.states, j.State) || len(t.types) > 0 && !slices.Contains(t.types, j.Type) ||
		!strings.HasPrefix(j.ID, t.id) || !strings.HasPrefix(j.Group, t.group) {
		return false
	}
	for _, c := range t.conditions {
		if c.match(j) == c.not {
			return false
		}
	}
	return true
}

// mentions reports whether a word, in lower case, is found in what a person
// sees of the job.
func (j *Job) mentions(word string) bool {
	if strings.HasPrefix(j.ID, word) {
		return true
	}
	for _, text := range []string{j.Type, j.Target, j.Name, j.Reason, strings.Join(j.Args, " ")} {
		if containsFold(text, word) {
			return true
		}
	}
	for key, value := range j.Labels {
		if containsFold(key+"="+value, word) {
			return true
		}
	}
	return false
}

// containsFold reports whether text contains word, which is in lower case.
func containsFold(text, word string) bool {
	return strings.Contains(strings.ToLower(text), word)
}
