package jobs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Bounds of what a query may cost.
const (
	maxQuery = 500 // bytes
	maxTerms = 16
)

// QueryError is a fault in Filter.Query.
type QueryError struct {
	Term    string // the part at fault
	Message string
}

func (e *QueryError) Error() string { return e.Message }

var queryKeys = []string{"state", "type", "exit", "name", "label", "source", "id", "group"}

// terms is a Filter.Query taken apart. Every term must match; of several
// states or types, one.
type terms struct {
	states  []State
	types   []string
	id      string // beginning of the id
	group   string // beginning of the sweep's id
	since   time.Time
	exits   []int    // all must be the exit status
	names   []string // lower case, as words are
	sources []string
	labels  []label
	words   []string
}

// label is a term label:key or label:key=value.
type label struct {
	key, value string
	valued     bool
}

// parseQuery reads words and key:value. Double quotes keep blanks together,
// and a term that begins with one is a word whatever it contains.
func parseQuery(query string) (*terms, error) {
	if len(query) > maxQuery {
		return nil, &QueryError{query, fmt.Sprintf("the search is longer than %d letters", maxQuery)}
	}
	t := &terms{}
	list := splitQuery(query)
	if len(list) > maxTerms {
		return nil, &QueryError{query, fmt.Sprintf("the search has more than %d words", maxTerms)}
	}
	for _, term := range list {
		key, value, keyed := strings.Cut(term.text, ":")
		if term.quoted || !keyed || !isKey(key) {
			t.words = append(t.words, strings.ToLower(term.text))
			continue
		}
		if err := t.add(strings.ToLower(key), value); err != "" {
			return nil, &QueryError{term.text, err}
		}
	}
	return t, nil
}

type term struct {
	text   string
	quoted bool
}

func splitQuery(query string) []term {
	var list []term
	var b strings.Builder
	var inside, began, quoted bool
	end := func() {
		if b.Len() > 0 {
			list = append(list, term{b.String(), quoted})
		}
		b.Reset()
		began, quoted = false, false
	}
	for _, r := range query {
		switch {
		case r == '"':
			inside = !inside
			quoted = quoted || !began
			began = true
		case unicode.IsSpace(r) && !inside:
			end()
		default:
			b.WriteRune(r)
			began = true
		}
	}
	end()
	return list
}

func isKey(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) < 0
}

// add takes key:value and returns what is wrong with it in words.
func (t *terms) add(key, value string) string {
	if !slices.Contains(queryKeys, key) {
		return fmt.Sprintf("unknown search key %q; known are %s; quote the word to search for it as it is",
			key, strings.Join(queryKeys, ", "))
	}
	if value == "" {
		return fmt.Sprintf("%s: needs a value, as in %s:x", key, key)
	}
	switch key {
	case "state":
		for _, word := range strings.Split(value, ",") {
			s, ok := ParseState(strings.ToUpper(word))
			if !ok {
				return fmt.Sprintf("unknown state %q in %q", word, key+":"+value)
			}
			t.states = append(t.states, s)
		}
	case "type":
		t.types = append(t.types, value)
	case "exit":
		code, err := strconv.Atoi(value)
		if err != nil {
			return fmt.Sprintf("%q in %q is no exit status", value, key+":"+value)
		}
		t.exits = append(t.exits, code)
	case "id":
		return longer(&t.id, key, value)
	case "group":
		return longer(&t.group, key, value)
	case "name":
		t.names = append(t.names, strings.ToLower(value))
	case "source":
		t.sources = append(t.sources, strings.ToLower(value))
	case "label":
		var l label
		l.key, l.value, l.valued = strings.Cut(value, "=")
		t.labels = append(t.labels, l)
	}
	return ""
}

// longer takes one more beginning of an id, and returns what is wrong with it.
func longer(known *string, key, value string) string {
	value = strings.ToLower(value)
	if strings.Trim(value, "0123456789abcdef-") != "" {
		return fmt.Sprintf("%q in %q is no beginning of an id", value, key+":"+value)
	}
	if !strings.HasPrefix(value, *known) && !strings.HasPrefix(*known, value) {
		return "a job has only one " + key
	}
	if len(value) > len(*known) {
		*known = value
	}
	return ""
}

// narrow adds what the Filter demands beside its Query and reports whether
// anything can still match.
func (t *terms) narrow(f Filter) bool {
	if len(f.States) > 0 {
		if len(t.states) == 0 {
			t.states = f.States
		} else {
			t.states = slices.DeleteFunc(t.states, func(s State) bool { return !slices.Contains(f.States, s) })
			if len(t.states) == 0 {
				return false
			}
		}
	}
	if f.Type != "" {
		if len(t.types) > 0 && !slices.Contains(t.types, f.Type) {
			return false
		}
		t.types = []string{f.Type}
	}
	if f.Group != "" && longer(&t.group, "group", f.Group) != "" {
		return false
	}
	for _, key := range slices.Sorted(maps.Keys(f.Labels)) {
		t.labels = append(t.labels, label{key, f.Labels[key], f.Labels[key] != ""})
	}
	t.since = f.Since
	t.states = unique(t.states)
	t.types = unique(t.types)
	return true
}

func unique[T comparable](list []T) []T {
	var once []T
	for _, v := range list {
		if !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return once
}

// sql gives conditions that every match fulfils, so that the database need
// not hand over the rest; match has the last word.
func (t *terms) sql(w *waits) (conditions string, args []any) {
	var b strings.Builder
	for _, code := range t.exits {
		b.WriteString(" AND exit_code = ?")
		args = append(args, code)
	}
	like := func(column, text string) {
		b.WriteString(" AND " + column + ` LIKE ? ESCAPE '\'`)
		args = append(args, pattern(text))
	}
	for _, text := range t.names {
		like("name", text)
	}
	for _, text := range t.sources {
		like("source", text)
	}
	if !t.since.IsZero() {
		b.WriteString(" AND submitted_at >= ?")
		args = append(args, toMillis(t.since))
	}
	for _, l := range t.labels {
		like("labels", l.key)
		if l.valued {
			like("labels", l.value)
		}
	}
	for _, word := range t.words {
		b.WriteString(` AND (id LIKE ? ESCAPE '\'`)
		args = append(args, strings.TrimPrefix(pattern(word), "%"))
		for _, column := range []string{"type", "target", "args", "name", "labels", "reason"} {
			b.WriteString(" OR " + column + ` LIKE ? ESCAPE '\'`)
			args = append(args, pattern(word))
		}
		if condition, more := w.candidates(word); condition != "" {
			b.WriteString(" OR " + condition)
			args = append(args, more...)
		}
		b.WriteString(")")
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
	if len(t.states) > 0 && !slices.Contains(t.states, j.State) ||
		len(t.types) > 0 && !slices.Contains(t.types, j.Type) ||
		!strings.HasPrefix(j.ID, t.id) || !strings.HasPrefix(j.Group, t.group) {
		return false
	}
	for _, code := range t.exits {
		if j.ExitCode == nil || *j.ExitCode != code {
			return false
		}
	}
	for _, l := range t.labels {
		if value, ok := j.Labels[l.key]; !ok || l.valued && value != l.value {
			return false
		}
	}
	for _, text := range t.names {
		if !containsFold(j.Name, text) {
			return false
		}
	}
	for _, text := range t.sources {
		if !containsFold(j.Source, text) {
			return false
		}
	}
	for _, word := range t.words {
		if !j.mentions(word) {
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
