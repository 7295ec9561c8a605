package ui

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"sync"
	"time"

	"jobrunner/jobs"
)

const (
	maxPage = 60 << 10 // bytes of any page, whatever it has to show
	every   = 2000     // milliseconds between two looks of a page that is seen
	reload  = 5        // seconds between two looks without a script

	maxNotes   = 12
	maxIgnored = 10

	maxFootNotes = 4
)

//go:embed templates
var templateFiles embed.FS

var (
	overviewPage = parsePage("overview.html")
	listPage     = parsePage("list.html")
	logPage      = parsePage("log.html")
	jobPage      = parsePage("job.html")
	timelinePage = parsePage("timeline.html")
	typesPage    = parsePage("types.html")
	typePage     = parsePage("type.html")
	systemPage   = parsePage("system.html")
	errorPage    = parsePage("error.html")
)

// parsePage gives what reads a page's templates when they are first needed: most
// uses of the program show none.
func parsePage(name string) func() *template.Template {
	return sync.OnceValue(func() *template.Template {
		return template.Must(template.ParseFS(templateFiles,
			"templates/layout.html", "templates/parts.html", "templates/"+name))
	})
}

// navPages are the pages that every page leads to, in that order.
var navPages = []navPage{
	{"overview", "/", "Overview"},
	{"jobs", "/jobs", "Jobs"},
	{"timeline", "/timeline", "Timeline"},
	{"types", "/types", "Types"},
	{"system", "/system", "System"},
}

type navPage struct{ Name, Path, Words string }

// frame is what every page shows around its content.
type frame struct {
	Title       string
	Nav         string // name of the page in navPages; "" if it is none of them
	Icon        string // name of the picture for the tab, without .svg; "" means icon
	Pages       []navPage
	Node        string
	Static      string
	Every       int // milliseconds between two looks of the script; 0 means it does not look
	Reload      int // seconds after which a browser without scripts reloads; 0 means it does not
	Main        any
	Notes       []noteView
	Ignored     []Ignored
	MoreIgnored string
	About       string
	Time        *timeView
	Zone        string
}

type noteView struct {
	Level   Level
	Glyph   string
	Word    string
	Text    string
	Command string // what mends it; "" if no command does
}

// timeView is a time for a <time>: for machines, for people, and how long ago.
type timeView struct {
	Machine, Clock, Age string
	Short               bool // Clock has no seconds
}

// viewTime gives nil for a time that is not known.
func viewTime(t, now time.Time) *timeView {
	if t.IsZero() {
		return nil
	}
	return &timeView{Machine: t.UTC().Format(jobs.TimeFormat), Clock: clock(t, now), Age: age(now.Sub(t))}
}

// render answers with a page around main. title is cleaned here; what is in
// main has to be clean already.
func (s *server) render(w http.ResponseWriter, r *http.Request, code int, page func() *template.Template, f frame) {
	now, st := s.now(), s.Status()
	if code != http.StatusOK {
		f.Every, f.Reload = 0, 0 // what is wrong stays wrong
	}
	f.Static, f.Pages, f.Icon = static().prefix, navPages, cmp.Or(f.Icon, "icon")
	f.Node = clean(st.Node, 100)
	f.Title = clean(f.Title, 200)
	if f.Node != "" {
		f.Title += " " + f.Node
	}
	f.Title += " · jobrunner"
	_, f.Notes = viewNotes(st)
	f.Notes = f.Notes[:min(len(f.Notes), maxFootNotes)]
	f.Ignored, f.MoreIgnored = viewIgnored(st.Ignored)
	f.Time = viewTime(now, now)
	f.Zone = zone(now)
	f.About = "jobrunner " + clean(st.Version, 60)
	if !st.StartedAt.IsZero() {
		f.About += ", up " + coarse(now.Sub(st.StartedAt))
	}

	var b bytes.Buffer
	if err := page().ExecuteTemplate(&b, "layout.html", f); err != nil {
		panic(fmt.Errorf("rendering page: %w", err))
	}
	if b.Len() > maxPage {
		s.Log.Error().Str("path", r.URL.Path).Int("bytes", b.Len()).Msg("page too long")
		plain(w, http.StatusInternalServerError, "this page came out too long; the API has what it would show")
		return
	}
	body := b.Bytes()
	if f.Every > 0 && code == http.StatusOK {
		h := head{f.Title, f.Static + f.Icon + ".svg", f.Static}
		id := s.views.note(pagePath(r.URL), b.String(), h, began(r.Context()))
		body = bytes.Replace(body, []byte(`data-event=""`), []byte(`data-event="`+id+`"`), 1)
	}
	answer(w, code, typeHTML, pagePolicy, body)
}

// viewNotes splits what is to be known into problems and plain notes.
func viewNotes(st Status) (problems, notes []noteView) {
	all := st.Notes
	if st.ConfigError != "" {
		text := "jobrunner.yaml was changed and is not in force: " + st.ConfigError
		all = append([]Note{{Level: Error, Text: text}}, all...)
	}
	for _, n := range all {
		v := noteView{Level: n.Level, Text: clean(n.Text, 300)}
		switch {
		case n.Level == Error && len(problems) < maxNotes:
			v.Glyph, v.Word = "✗", "error"
			problems = append(problems, v)
		case n.Level == Warn && len(problems) < maxNotes:
			v.Glyph, v.Word = "!", "warning"
			problems = append(problems, v)
		case n.Level != Error && n.Level != Warn && len(notes) < maxNotes:
			v.Level, v.Glyph = Info, "·"
			notes = append(notes, v)
		}
	}
	return problems, notes
}

func viewIgnored(all []Ignored) (shown []Ignored, more string) {
	for i, f := range all {
		if i == maxIgnored {
			return shown, fmt.Sprintf("and %d more", len(all)-i)
		}
		shown = append(shown, Ignored{Name: clean(f.Name, 100), Why: clean(f.Why, 120)})
	}
	return shown, ""
}

// errorView is the content of a page that says what is wrong.
type errorView struct {
	Heading string
	Words   string
	Jobs    []string // ids that might have been meant
}

func (s *server) renderError(w http.ResponseWriter, r *http.Request, code int, v errorView) {
	v.Words = clean(v.Words, 2000)
	s.render(w, r, code, errorPage, frame{Title: v.Heading, Main: v})
}

// pageError answers a page that cannot be made, under that heading.
func (s *server) pageError(w http.ResponseWriter, r *http.Request, heading string, err error) {
	code, words := s.explain(r, err)
	s.renderError(w, r, code, errorView{Heading: heading, Words: sentence(words)})
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	if isAPI(r) {
		fail(w, r, http.StatusNotFound, "there is no such route")
		return
	}
	s.renderError(w, r, http.StatusNotFound, errorView{
		Heading: "Not found", Words: fmt.Sprintf("There is no page %q.", fit(r.URL.Path, 300)),
	})
}
