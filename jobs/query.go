package jobs

import (
	"fmt"
	"maps"
	"slices"
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
	At      int    // letter at which it begins, from 1; 0 if the fault is of the whole
	Len     int    // letters of it as it is written, quotes included
	Message string
}

func (e *QueryError) Error() string { return e.Message }

// QueryKeys are the keys that a query knows.
var QueryKeys = []string{"state", "type", "exit", "signal", "name", "label", "source", "id", "group",
	"since", "older", "took", "attempt", "priority"}

// terms is a Filter.Query taken apart. Every term must match; of several
// states or types, one.
type terms struct {
	states     []State // nil means any
	types      []string
	id         string    // beginning of the id
	group      string    // beginning of the sweep's id
	since      time.Time // submitted then or later
	until      time.Time // submitted before it
	exit       *int      // one exit status that it must be
	conditions []condition
}

// parseQuery reads words and key:value. Double quotes keep blanks together, and
// a term that begins with one is a word whatever it contains. ! before a term
// means that it must not match, as - does before a key.
func parseQuery(query string, now time.Time) (*terms, error) {
	if len(query) > maxQuery {
		return nil, &QueryError{Term: query, Message: fmt.Sprintf("the search is longer than %d letters", maxQuery)}
	}
	t := &terms{}
	list := splitQuery(query)
	if len(list) > maxTerms {
		return nil, &QueryError{Term: query, Message: fmt.Sprintf("the search has more than %d words", maxTerms)}
	}
	for _, term := range list {
		if message := t.take(term, now); message != "" {
			return nil, &QueryError{Term: term.text, At: term.at, Len: term.len, Message: message}
		}
	}
	return t, nil
}

// term is a part of a query between blanks.
type term struct {
	text   string // quotes removed
	quoted bool   // it is a word whatever it contains
	not    bool
	at     int // as in QueryError
	len    int
}

// take adds a term and returns what is wrong with it in words.
func (t *terms) take(m term, now time.Time) string {
	key, value, keyed := strings.Cut(m.text, ":")
	if bare, ok := strings.CutPrefix(key, "-"); ok && keyed && !m.quoted && slices.Contains(QueryKeys, strings.ToLower(bare)) {
		key, m.not = bare, true
	}
	// An address and a path on a drive are words.
	if m.quoted || !keyed || !isKey(key) || strings.HasPrefix(value, "//") || strings.HasPrefix(value, `\`) {
		t.conditions = append(t.conditions, wordCondition(strings.ToLower(m.text), m.not))
		return ""
	}
	key = strings.ToLower(key)
	if !slices.Contains(QueryKeys, key) {
		return unknownSearch(key)
	}
	if value == "" {
		return fmt.Sprintf("%s: needs a value, as in %s:%s", key, key, sampleValues[key])
	}
	return t.add(key, value, m.not, now)
}

// sampleValues is a value of each key, for those who gave none.
var sampleValues = map[string]string{
	"state": "failed", "type": "train", "exit": "137", "signal": "SIGKILL", "name": "nightly", "label": "owner=ada", "source": "inbox",
	"id": "3f2a91c0", "group": "3f2a91c0", "since": "24h", "older": "2d", "took": ">1h", "attempt": ">1", "priority": ">0",
}

func unknownSearch(key string) string {
	meant := "."
	if near := Match(key, QueryKeys); near != "" {
		meant = fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Sprintf("unknown search key %q%s The keys are %s; quote the word to search for it as it is",
		key, meant, strings.Join(QueryKeys, ", "))
}

func splitQuery(query string) []term {
	var list []term
	s := querySplitter{}
	for _, r := range query {
		s.pos++
		if unicode.IsSpace(r) && !s.inside {
			list = s.end(list)
			continue
		}
		s.letter(r)
	}
	s.pos++
	return s.end(list)
}

// querySplitter is where splitQuery stands.
type querySplitter struct {
	pos    int // letters read
	text   strings.Builder
	term   term
	inside bool // of quotes
	escape bool // after a backslash in them
}

func (s *querySplitter) letter(r rune) {
	if s.term.at == 0 {
		s.term.at = s.pos
	}
	switch {
	case s.escape && r != '"' && r != '\\':
		s.text.WriteByte('\\')
		fallthrough
	case s.escape:
		s.escape = false
		s.text.WriteRune(r)
	case s.inside && r == '\\':
		s.escape = true
	case r == '"':
		s.inside = !s.inside
		s.term.quoted = s.term.quoted || s.text.Len() == 0
	case r == '!' && s.text.Len() == 0 && !s.term.quoted && !s.term.not:
		s.term.not = true
	default:
		s.text.WriteRune(r)
	}
}

// end adds the term that ends here, if there is one.
func (s *querySplitter) end(list []term) []term {
	if s.escape {
		s.text.WriteByte('\\')
	}
	if s.text.Len() == 0 && s.term.not && !s.term.quoted {
		s.text.WriteByte('!') // alone it is a word
		s.term.not = false
	}
	if s.text.Len() > 0 {
		s.term.text, s.term.len = s.text.String(), s.pos-s.term.at
		list = append(list, s.term)
	}
	s.text.Reset()
	s.term, s.inside, s.escape = term{}, false, false
	return list
}

func isKey(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) < 0
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
	if len(f.States) > 0 && !t.onlyStates(f.States) {
		return false
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
		t.conditions = append(t.conditions, labelCondition(key, f.Labels[key], f.Labels[key] != "", false))
	}
	if f.Since.After(t.since) {
		t.since = f.Since
	}
	t.states = unique(t.states)
	t.types = unique(t.types)
	return true
}

// onlyStates leaves, of the states that it may have, those in list, and reports
// whether any is left.
func (t *terms) onlyStates(list []State) bool {
	if t.states == nil {
		t.states = list
		return true
	}
	t.states = slices.DeleteFunc(slices.Clone(t.states), func(s State) bool { return !slices.Contains(list, s) })
	return len(t.states) > 0
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

// Text writes what the Filter selects as a query alone: Before, After and Limit
// say only which part of it is wanted.
func (f Filter) Text() string {
	var all []string
	add := func(key, value string) { all = append(all, QueryTerm(key, value)) }
	if len(f.States) > 0 {
		var words []string
		for _, s := range f.States {
			words = append(words, strings.ToLower(string(s)))
		}
		add("state", strings.Join(words, ","))
	}
	if f.Type != "" {
		add("type", f.Type)
	}
	if f.Group != "" {
		add("group", f.Group)
	}
	for _, key := range slices.Sorted(maps.Keys(f.Labels)) {
		if value := f.Labels[key]; value != "" {
			key += "=" + value
		}
		add("label", key)
	}
	if !f.Since.IsZero() {
		add("since", f.Since.UTC().Format(time.RFC3339))
	}
	if f.Query != "" {
		all = append(all, f.Query)
	}
	return strings.Join(all, " ")
}

// QueryTerm writes a key and a value as one term of a query.
func QueryTerm(key, value string) string {
	if strings.IndexFunc(value, func(r rune) bool { return unicode.IsSpace(r) || r == '"' }) < 0 {
		return key + ":" + value
	}
	return key + `:"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// QueryParts is a query taken apart for those who change a part of it.
type QueryParts struct {
	States []State // that it asks for
	Type   string  // the only type that it asks for; "" if it asks for none or several
	Rest   string  // everything else, as it is written
}

// SplitQuery takes a query apart. Its error is a *QueryError.
func SplitQuery(query string) (QueryParts, error) {
	t, err := parseQuery(query, time.Now())
	if err != nil {
		return QueryParts{}, err
	}
	p := QueryParts{States: unique(t.states)}
	if types := unique(t.types); len(types) == 1 {
		p.Type = types[0]
	}
	letters := []rune(query)
	var rest []string
	for _, term := range splitQuery(query) {
		key, _, _ := strings.Cut(strings.ToLower(term.text), ":")
		if term.quoted || term.not || key != "state" && (key != "type" || p.Type == "") {
			rest = append(rest, string(letters[term.at-1:term.at-1+term.len]))
		}
	}
	p.Rest = strings.Join(rest, " ")
	return p, nil
}
