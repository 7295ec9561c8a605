package ui

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	listRows     = 50
	maxTypeHints = 30

	// newLines is how many headlines that are not known yet a page looks for: each
	// means reading the end of a log. The others follow with the next look.
	newLines = 5
)

// How much of a job a row shows, in bytes of HTML: as much as is of use, and if
// that is too much for a page of many such jobs, less.
var (
	wideRow  = rowSize{what: 240, name: 60, typ: 70, why: 300, line: 300}
	tightRow = rowSize{what: 120, name: 30, typ: 30, why: 150, line: 100}
)

const wideRows = 22_000 // bytes of text in all rows that are not cut short

type rowSize struct{ what, name, typ, why, line int }

type listView struct {
	Query   string // as the box shows it
	Chips   []chip
	Types   []string
	Problem *problemView
	Head    string // what the jobs below are
	Rows    []listRow
	Nothing *nothingView // said where no job fits
	Newest  string       // address of the first page; "" on it
	Newer   string       // address of the page before; "" on the first
	Older   string       // address of the next page; "" on the last
	Bound   *boundView   // nil if all was searched
}

// chip is a link to the jobs of one state, within the rest of the search.
type chip struct {
	State  stateView // without a word for all states
	N      string    // how many there are; "" if that is not known
	URL    string
	Chosen bool
}

// problemView is what is wrong with a search: the query, with the part at fault.
type problemView struct {
	Words              string
	Before, Bad, After string
}

// boundView says how far was searched, and leads on.
type boundView struct {
	Words string
	At    *timeView
	URL   string
}

// nothingView says what to do where no job fits.
type nothingView struct {
	Words string
	Tries []linkView
}

type listRow struct {
	rowView
	Bar *barView // how far it has come; nil if that is not known
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	v := &listView{}
	query, filter, err := parseFilter(r, s.now())
	if err == nil {
		v.Query, err = queryText(query, filter)
	}
	filter = jobs.Filter{Query: v.Query, Limit: listRows}
	if err == nil {
		filter.Before, err = cursor(query, "before")
	}
	if err == nil {
		filter.After, err = cursor(query, "after")
	}
	if err == nil {
		err = s.viewList(r, v, filter)
	}
	code := http.StatusOK
	if err != nil {
		var words string
		if code, words = s.explain(r, err); code == http.StatusInternalServerError {
			s.renderError(w, r, code, errorView{Heading: "Not now", Words: sentence(words)})
			return
		}
		if v.Query == "" {
			v.Query = query.Get("q")
		}
		v.Problem = viewProblem(v.Query, words, err)
	}
	title := "Jobs"
	if v.Query != "" {
		title = v.Query + " – Jobs"
	}
	v.Query = clean(v.Query, 5*maxQuery)
	// Without a script a reload empties the form: leave time to fill it in.
	s.render(w, r, code, listPage, frame{Title: title, Nav: "jobs", Every: every, Reload: 6 * reload, Main: v})
}

// queryText is all that is asked for as one query, so that one box holds it and
// one address leads to it, by whichever keys it was asked for.
func queryText(query url.Values, f jobs.Filter) (string, error) {
	f.Since = time.Time{}
	if since := query.Get("since"); since != "" {
		if _, ok := jobs.ParseWhen(since, time.Time{}); !ok {
			since = strings.ReplaceAll(since, " ", "+")
		}
		f.Query = strings.TrimSpace(jobs.QueryTerm("since", since) + " " + f.Query)
	}
	text := f.Text()
	if len(text) > maxQuery {
		return "", badRequest(fmt.Sprintf("the search is longer than %d letters in all", maxQuery))
	}
	return text, nil
}

func viewProblem(query, words string, err error) *problemView {
	v := &problemView{Words: clean(sentence(words), 1000)}
	var bad *jobs.QueryError
	if !errors.As(err, &bad) {
		return v
	}
	v.Words = clean(sentence(bad.Message), 1000)
	if bad.At == 0 {
		return v
	}
	letters := []rune(query)
	from, to := bad.At-1, bad.At-1+bad.Len
	v.Before, v.Bad, v.After = clean(string(letters[:from]), maxQuery), clean(string(letters[from:to]), maxQuery), clean(string(letters[to:]), maxQuery)
	return v
}

func (s *server) viewList(r *http.Request, v *listView, f jobs.Filter) error {
	parts, err := jobs.SplitQuery(f.Query)
	if err != nil {
		return err
	}
	stats, err := s.Queue.Stats(r.Context())
	if err != nil {
		return err
	}
	v.Chips, v.Types = viewChips(parts, stats), typeHints(stats)
	found, err := s.Queue.Search(r.Context(), f)
	if err != nil {
		return err
	}
	v.Head = "Jobs, newest first"
	if f.Before > 0 || f.After > 0 {
		v.Newest = listURL(f.Query, "", 0)
	}
	s.viewPages(v, f, found)
	v.Rows = s.viewRows(found.Jobs)
	if len(v.Rows) == 0 {
		v.Nothing = viewNothing(f, parts, found, stats)
	}
	return nil
}

// viewPages links to what comes before and after what was found.
func (s *server) viewPages(v *listView, f jobs.Filter, found jobs.Found) {
	n := len(found.Jobs)
	newer, older := f.Before-1, found.Next
	if f.After > 0 {
		newer, older = found.Next, f.After+1
	}
	if n > 0 && newer > 0 {
		newer = found.Jobs[0].Seq
	}
	if n > 0 && older > 0 {
		older = found.Jobs[n-1].Seq
	}
	if !found.Back.IsZero() { // what was found is not all there is up to there
		v.Bound = &boundView{"Searched back to", viewTime(found.Back, s.now()), listURL(f.Query, "before", found.Next)}
		older = 0
		if f.After > 0 {
			v.Bound.Words, v.Bound.URL = "Searched up to", listURL(f.Query, "after", found.Next)
			newer, older = 0, f.After+1
		}
	}
	if newer > 0 {
		v.Newer = listURL(f.Query, "after", newer)
	}
	if older > 0 {
		v.Older = listURL(f.Query, "before", older)
	}
}

// viewRows shows jobs, each in less detail if they have too much to say.
func (s *server) viewRows(found []*jobs.Job) []listRow {
	rows, size := s.rowsOf(found, wideRow)
	if size > wideRows {
		rows, _ = s.rowsOf(found, tightRow)
	}
	return rows
}

func (s *server) rowsOf(found []*jobs.Job, size rowSize) (rows []listRow, bytes int) {
	now, readings, lines := s.now(), s.Readings(), newLines
	for _, j := range found {
		row := listRow{rowView: viewRow(j, j.SubmittedAt, now)}
		row.What, row.Name, row.Why = what(j, size.what), clean(j.Name, size.name), clean(listWhy(j), size.why)
		row.Type = fit(row.Type, size.typ)
		row.Line = fit(s.headlineSoon(j, &lines).Text, size.line)
		if reading := readings[j.ID]; reading != nil && j.State == jobs.Running && reading.Attempt == j.Attempt {
			row.Bar = viewBar(reading.Progress, now)
		}
		for _, text := range []string{row.What, row.Name, row.Type, row.Why, row.Line} {
			bytes += escapedSize(text)
		}
		rows = append(rows, row)
	}
	return rows, bytes
}

// listWhy is why, where it tells more than the state.
func listWhy(j *jobs.Job) string {
	if j.State == jobs.Running && j.Reason == "" || j.State == jobs.Completed && j.Reason == "exit 0" {
		return ""
	}
	return why(j)
}

func escapedSize(text string) int {
	n := 0
	for _, r := range text {
		n += escapedLen(r)
	}
	return n
}

// viewChips are the states that a search may be narrowed to. How many jobs there
// are of each is known as long as nothing but a type is asked for beside.
func viewChips(p jobs.QueryParts, stats jobs.Stats) []chip {
	counts := stats.States
	if p.Type != "" {
		counts = stats.Types[p.Type]
	}
	sum := 0
	for _, n := range counts {
		sum += n
	}
	number := func(n int) string {
		if p.Rest != "" {
			return ""
		}
		return strconv.Itoa(n)
	}
	address := func(states ...jobs.State) string {
		return listURL(jobs.Filter{States: states, Type: p.Type, Query: p.Rest}.Text(), "", 0)
	}
	out := []chip{{N: number(sum), URL: address(), Chosen: len(p.States) == 0}}
	for _, state := range jobs.States {
		chosen := len(p.States) == 1 && p.States[0] == state
		if counts[state] > 0 || chosen {
			out = append(out, chip{viewState(state), number(counts[state]), address(state), chosen})
		}
	}
	return out
}

// typeHints are what the box offers to complete.
func typeHints(stats jobs.Stats) []string {
	var out []string
	for name := range stats.Types {
		out = append(out, clean(jobs.Filter{Type: name}.Text(), maxType))
	}
	slices.Sort(out)
	return out[:min(len(out), maxTypeHints)]
}

// viewNothing says why there is nothing to see, and what may be tried.
func viewNothing(f jobs.Filter, p jobs.QueryParts, found jobs.Found, stats jobs.Stats) *nothingView {
	v := &nothingView{}
	switch {
	case len(stats.Types) == 0 && f.Query == "":
		v.Words = "No job has come yet. Append a line to the queue file, drop a request file into the inbox, or run jobrunner add."
	case found.Next > 0:
		v.Words = "No job fits so far."
	case f.Before > 0 && f.Query == "":
		v.Words = "There are no older jobs."
	case f.After > 0:
		v.Words = "There are no newer jobs."
	case f.Before > 0:
		v.Words = "No older job fits."
	default:
		v.Words = "No job fits."
		v.Tries = tries(p)
	}
	return v
}

// tries are the same search with less asked for.
func tries(p jobs.QueryParts) []linkView {
	var out []linkView
	add := func(words string, f jobs.Filter) {
		out = append(out, linkView{listURL(f.Text(), "", 0), words})
	}
	asked := 0
	for _, is := range []bool{len(p.States) > 0, p.Type != "", p.Rest != ""} {
		if is {
			asked++
		}
	}
	if asked > 1 && len(p.States) > 0 {
		add("the same in any state", jobs.Filter{Type: p.Type, Query: p.Rest})
	}
	if asked > 1 && p.Type != "" {
		add("the same of any type", jobs.Filter{States: p.States, Query: p.Rest})
	}
	if asked > 0 {
		add("all jobs", jobs.Filter{})
	}
	return out
}

// listURL is the address of what a query finds, from the job of a Seq on; key is
// "before" or "after".
func listURL(query, key string, seq int64) string {
	q := url.Values{}
	if query != "" {
		q.Set("q", query)
	}
	if seq > 0 {
		q.Set(key, strconv.FormatInt(seq, 10))
	}
	if len(q) == 0 {
		return "/jobs"
	}
	return "/jobs?" + q.Encode()
}
