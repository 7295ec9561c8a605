package ui

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// logPageView is the content of the page of an attempt's output.
type logPageView struct {
	ID       string
	Short    string
	What     string
	State    stateView
	Attempts []attemptLink // none if there is but one
	Attempt  string        // of the address, for forms; "" means the latest
	Size     string
	Where    string // which part is shown
	Note     string // "" if there is nothing to say
	Again    bool   // the same address knows more a moment later
	Links    []linkView
	Whole    string // address of the plain log
	Download string // under which name it is stored
	Grep     string // what was searched for
	Search   bool   // lines were searched for
	Base     string // of the addresses of parts: "?" or "?attempt=1&"
	End      bool   // the last part is shown, with its end to be seen first
	Follow   bool   // more will come there
	Block    logBlock
	Nothing  string // said where there are no lines
	Tag      string // of the lines, as an ETag; "" if it cannot be told
}

type attemptLink struct {
	N       int
	URL     string
	Current bool
}

// logBlock is one part of a log as the page, and its script, take it in.
type logBlock struct {
	From, To, Size int64
	Ended          bool // nothing more will come
	Rows           template.HTML
	More           *linkView // where a search goes on
}

// logAsk is what of an output is asked for; -1 where nothing is said.
type logAsk struct {
	attempt        int // 0 means the latest
	from, to, near int64
	line           int64
	percent        int64
	words          [][]byte // that lines are to have one of; nil means all lines
	grep           string
	part, raw      bool
}

func (s *server) logPage(w http.ResponseWriter, r *http.Request) {
	ask, err := parseLogAsk(r)
	var j *jobs.Job
	if err == nil {
		j, err = s.find(r)
	}
	if err != nil {
		s.jobError(w, r, err)
		return
	}
	if r.PathValue("id") != j.ID {
		to := url.URL{Path: "/jobs/" + j.ID + "/log", RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusFound)
		return
	}
	if j, err = s.Queue.Detail(r.Context(), j.ID); err != nil {
		s.jobError(w, r, err)
		return
	}
	out, err := s.openLog(j, ask.attempt)
	var none *noLogError
	switch {
	case errors.As(err, &none) && ask.attempt == 0 && !ask.part && !ask.raw:
		v := s.viewLogPage(j, ask)
		v.Nothing = pageWords(j, none)
		s.renderLog(w, r, v)
		return
	case err != nil:
		s.jobError(w, r, err)
		return
	}
	defer out.Close()
	if ask.raw {
		s.rawLog(w, r, out, ask)
		return
	}
	v := s.viewLogPage(j, ask)
	if err := s.fillLog(v, j, out, ask); err != nil {
		s.jobError(w, r, err)
		return
	}
	if ask.part {
		s.answerPart(w, r, v)
		return
	}
	s.renderLog(w, r, v)
}

func (s *server) renderLog(w http.ResponseWriter, r *http.Request, v *logPageView) {
	f := frame{Title: "Output of " + v.What, Main: v}
	switch {
	case v.Again:
		f.Reload = 1
	case v.Follow:
		f.Reload = 3 * reload
	}
	s.render(w, r, http.StatusOK, logPage, f)
}

// answerPart answers with the lines alone, for the page's script.
func (s *server) answerPart(w http.ResponseWriter, r *http.Request, v *logPageView) {
	if v.Tag != "" {
		w.Header().Set("ETag", v.Tag)
		if r.Header.Get("If-None-Match") == v.Tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	var b bytes.Buffer
	if err := logPage().ExecuteTemplate(&b, "block", v.Block); err != nil {
		panic(fmt.Errorf("rendering a part of a log: %w", err))
	}
	answer(w, http.StatusOK, typeHTML, dataPolicy, b.Bytes())
}

// rawLog answers with some bytes of the output as they are.
func (s *server) rawLog(w http.ResponseWriter, r *http.Request, out *jobs.Output, ask logAsk) {
	log, err := out.View()
	if err != nil {
		s.jobError(w, r, err)
		return
	}
	from := min(max(ask.from, 0), log.Size())
	to := log.Size()
	if ask.to >= 0 {
		to = min(max(ask.to, from), to)
	}
	h := w.Header()
	h.Set("Content-Type", typeText)
	h.Set("Content-Security-Policy", dataPolicy+"; sandbox")
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(log, from, to-from))
}

func parseLogAsk(r *http.Request) (logAsk, error) {
	ask := logAsk{line: -1, percent: -1}
	query, err := parseQuery(r)
	if err != nil {
		return ask, err
	}
	if ask.attempt, err = number(query, "attempt", 0, 1, 1<<30); err != nil {
		return ask, err
	}
	for _, p := range []struct {
		key   string
		value *int64
	}{{"from", &ask.from}, {"to", &ask.to}, {"near", &ask.near}} {
		if *p.value, err = place(query, p.key); err != nil {
			return ask, err
		}
	}
	if v := strings.TrimSpace(query.Get("line")); strings.HasSuffix(v, "%") {
		query.Set("line", strings.TrimSpace(strings.TrimSuffix(v, "%")))
		ask.percent, err = place(query, "line")
	} else {
		query.Set("line", strings.ReplaceAll(v, ",", ""))
		ask.line, err = place(query, "line")
	}
	ask.grep = query.Get("grep")
	if len(ask.grep) > maxWanted {
		return ask, badRequest(fmt.Sprintf("grep has more than %d bytes", maxWanted))
	}
	switch {
	case ask.grep != "":
		word := []byte(ask.grep)
		lowerASCII(word)
		ask.words = [][]byte{word}
	case query.Get("errors") != "":
		ask.words = errorWords
	}
	ask.part, ask.raw = query.Get("part") != "", query.Get("raw") != ""
	return ask, err
}

// place reads a number of bytes or lines; -1 if key is not there.
func place(query url.Values, key string) (int64, error) {
	v := query.Get(key)
	if v == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || n >= 1<<60 {
		return 0, badRequest(fmt.Sprintf("%s is %q, want a whole number", key, fit(v, 60)))
	}
	return n, nil
}

// viewLogPage is the page without any output.
func (s *server) viewLogPage(j *jobs.Job, ask logAsk) *logPageView {
	v := &logPageView{
		ID: j.ID, Short: short(j.ID), What: what(j, 600), State: viewState(j.State), Grep: clean(ask.grep, 6*maxWanted), Search: ask.words != nil,
		Base: "?", Whole: "/api/v1/jobs/" + j.ID + "/log", Download: logName(j, ask.attempt),
	}
	if ask.attempt > 0 && ask.attempt < j.Attempt {
		v.Attempt = strconv.Itoa(ask.attempt)
		v.Whole += "?attempt=" + v.Attempt
		v.Base += "attempt=" + v.Attempt + "&"
	}
	shown := ask.attempt
	if shown == 0 {
		shown = j.Attempt
	}
	for n := j.Attempt; n > 0 && n > j.Attempt-maxEarlier && j.Attempt > 1; n-- {
		if n == shown || s.hasLog(j, n) {
			v.Attempts = append(v.Attempts, attemptLink{n, fmt.Sprintf("?attempt=%d", n), n == shown})
		}
	}
	return v
}

// logName is under which name a log is stored: train-8f3a12c4.log.
func logName(j *jobs.Job, attempt int) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '.' || r == '_' || r == '-' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') {
			return r
		}
		return '_'
	}, clean(j.Type, maxType))
	if name != "" {
		name += "-"
	}
	name += short(j.ID)
	if attempt > 0 {
		name += "." + strconv.Itoa(attempt)
	}
	return name + ".log"
}

// fillLog puts the lines that are asked for on the page, and the ways to others.
func (s *server) fillLog(v *logPageView, j *jobs.Job, out *jobs.Output, ask logAsk) error {
	attempt := ask.attempt
	if attempt == 0 {
		attempt = j.Attempt
	}
	t := &logTeller{index: s.indexes.of(j.ID, attempt), view: v, ask: ask}
	v.Block.Ended = j.State.Ended() || attempt < j.Attempt
	var err error
	for range 3 { // of a running job's bounded output something may go while it is read
		if err = t.tell(out); err == nil {
			break
		}
	}
	if err == nil && ask.words == nil {
		v.Tag = fmt.Sprintf(`"%x-%s-%t"`, v.Block.From, t.log.Tag(), v.Block.Ended)
	}
	v.End = ask.words != nil || ask.from < 0 && ask.near < 0 && ask.line < 0 && ask.percent < 0
	v.Follow = err == nil && t.part.To == t.log.Size() && !v.Block.Ended && ask.words == nil
	return err
}
