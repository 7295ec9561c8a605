package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	defaultLimit = 100
	maxLimit     = 500
)

// jobList is the answer of /api/v1/jobs.
type jobList struct {
	Jobs []*jobs.Job `json:"jobs"`
	Next string      `json:"next,omitempty"` // left out at the end
}

func (s *server) apiList(r *http.Request) (any, error) {
	query, filter, err := parseFilter(r, s.now())
	if err != nil {
		return nil, err
	}
	if filter.Limit, err = number(query, "limit", defaultLimit, 1, maxLimit); err != nil {
		return nil, err
	}
	if filter.Before, err = cursor(query, "cursor"); err != nil {
		return nil, err
	}
	found, err := s.Queue.Search(r.Context(), filter)
	if err != nil {
		return nil, err
	}
	readings := s.Readings()
	for _, j := range found.Jobs {
		measure(j, readings)
	}
	out := jobList{Jobs: found.Jobs}
	if out.Jobs == nil {
		out.Jobs = []*jobs.Job{} // "jobs": [], never null
	}
	if found.Next > 0 {
		out.Next = strconv.FormatInt(found.Next, 10)
	}
	return out, nil
}

// apiJob answers with a job and its attempts.
func (s *server) apiJob(r *http.Request) (any, error) {
	j, err := s.find(r)
	if err == nil {
		j, err = s.Queue.Detail(r.Context(), j.ID)
	}
	if err != nil {
		return nil, err
	}
	measure(j, s.Readings())
	j.Headline = s.headline(j).Text
	return j, nil
}

// apiLog answers with a job's output. Range counts within what tail leaves.
func (s *server) apiLog(w http.ResponseWriter, r *http.Request) {
	query, err := parseQuery(r)
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	tail, err := number(query, "tail", -1, 0, 1<<30)
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	attempt, err := number(query, "attempt", 0, 1, 1<<30)
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	j, err := s.find(r)
	if err == nil {
		j, err = s.Queue.Detail(r.Context(), j.ID)
	}
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	out, err := s.openLog(j, attempt)
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	defer out.Close()
	log, err := out.View()
	var start int64
	if err == nil && tail >= 0 {
		start, err = jobs.TailOffset(log, log.Size(), tail)
	}
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", typeText)
	h.Set("Content-Security-Policy", dataPolicy+"; sandbox")
	h.Set("Content-Disposition", `inline; filename="`+logName(j, attempt)+`"`)
	running := j.State == jobs.Running && (attempt == 0 || attempt == j.Attempt)
	if running && log.Max() > 0 && tail < 0 && r.Header.Get("Range") == "" && r.Method == http.MethodGet {
		// Its oldest part may go while it is sent, so how long it is is not known.
		_, _ = io.Copy(w, io.LimitReader(out, 2*log.Max()))
		return
	}
	h.Set("ETag", fmt.Sprintf(`"%x-%s"`, start, log.Tag()))
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(log, start, log.Size()-start))
}

// statsAnswer is the answer of /api/v1/stats.
type statsAnswer struct {
	States        map[jobs.State]int            `json:"states"` // every state, also at 0
	Types         map[string]map[jobs.State]int `json:"types"`
	Running       int                           `json:"running"`
	MaxConcurrent int                           `json:"max_concurrent,omitempty"`
	Runs          map[string]jobs.Runs          `json:"runs"` // by type
}

func (s *server) apiStats(r *http.Request) (any, error) { return s.stats(r.Context()) }

func (s *server) stats(ctx context.Context) (statsAnswer, error) {
	st, err := s.Queue.Stats(ctx)
	if err != nil {
		return statsAnswer{}, err
	}
	runs, err := s.Queue.Runs(ctx)
	if err != nil {
		return statsAnswer{}, err
	}
	out := statsAnswer{States: map[jobs.State]int{}, Types: st.Types, MaxConcurrent: s.Status().MaxConcurrent, Runs: runs}
	for _, state := range jobs.States {
		out.States[state] = st.States[state]
	}
	if out.Types == nil {
		out.Types = map[string]map[jobs.State]int{}
	}
	out.Running = out.States[jobs.Running]
	return out, nil
}

// scheduleList is the answer of /api/v1/schedules.
type scheduleList struct {
	Schedules []jobs.Scheduled `json:"schedules"`
}

func (s *server) apiSchedules(r *http.Request) (any, error) {
	found, err := s.Queue.Scheduled(r.Context(), s.Catalog(), s.now())
	if err != nil {
		return nil, err
	}
	return scheduleList{found}, nil
}

// asJSON answers with what do gives.
func (s *server) asJSON(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := do(r)
		if err != nil {
			s.apiError(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, v)
	}
}

// find gives the job that the path's {id} names.
func (s *server) find(r *http.Request) (*jobs.Job, error) {
	return s.Queue.Find(r.Context(), strings.ToLower(r.PathValue("id")))
}

// badRequest is a fault in what the client asked.
type badRequest string

func (e badRequest) Error() string { return string(e) }

// explain gives the status and the words for an error. What the client cannot
// mend is logged, and the words say no more than that.
func (s *server) explain(r *http.Request, err error) (code int, words string) {
	var (
		bad       badRequest
		term      *jobs.QueryError
		ambiguous *jobs.AmbiguousError
		noLog     *noLogError
		gone      *jobs.PrunedError
	)
	switch {
	case errors.As(err, &bad):
		return http.StatusBadRequest, string(bad)
	case errors.As(err, &term):
		return http.StatusBadRequest, queryWords(term)
	case errors.As(err, &ambiguous):
		return http.StatusBadRequest, fmt.Sprintf("%q fits several jobs: %s", ambiguous.Prefix, strings.Join(ambiguous.IDs, ", "))
	case errors.As(err, &noLog):
		return http.StatusNotFound, noLog.words
	case errors.As(err, &gone):
		return http.StatusNotFound, gone.Error()
	case errors.Is(err, jobs.ErrNotFound):
		return http.StatusNotFound, fmt.Sprintf("there is no job %q", r.PathValue("id"))
	}
	if r.Context().Err() == nil {
		s.Log.Error().Err(err).Str("path", r.URL.Path).Msg("answering request")
	}
	return http.StatusInternalServerError, "the jobs cannot be read right now; the daemon's log has the reason"
}

// queryWords says what is wrong with a search, and where.
func queryWords(e *jobs.QueryError) string {
	if e.At == 0 {
		return "q: " + e.Message
	}
	return fmt.Sprintf("q: %q at letter %d: %s", e.Term, e.At, e.Message)
}

func (s *server) apiError(w http.ResponseWriter, r *http.Request, err error) {
	code, words := s.explain(r, err)
	writeJSON(w, code, map[string]string{"error": words})
}
