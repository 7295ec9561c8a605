package ui

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"jobrunner/jobs"
)

// maxQuery bounds what a search may hold, so that the page that repeats it
// stays small.
const maxQuery = 500

// parseFilter reads q, state and type. An empty value is the same as none, as a
// form sends it.
func parseFilter(r *http.Request) (url.Values, jobs.Filter, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, jobs.Filter{}, badRequest("the query cannot be read: " + err.Error())
	}
	f := jobs.Filter{Type: query.Get("type"), Query: query.Get("q")}
	if len(f.Type) > maxQuery || len(f.Query) > maxQuery {
		return query, jobs.Filter{}, badRequest(fmt.Sprintf("q and type may have %d bytes at most", maxQuery))
	}
	f.States, err = parseStates(query["state"])
	return query, f, err
}

// parseStates reads states given several times or separated by commas, in any
// case, each once.
func parseStates(values []string) ([]jobs.State, error) {
	var out []jobs.State
	seen := map[jobs.State]bool{}
	for _, v := range values {
		for word := range strings.SplitSeq(v, ",") {
			if word = strings.TrimSpace(word); word == "" {
				continue
			}
			state, ok := jobs.ParseState(strings.ToUpper(word))
			if !ok {
				return nil, badRequest(fmt.Sprintf("unknown state %q; the states are %s", fit(word, 60), stateWords()))
			}
			if !seen[state] {
				seen[state] = true
				out = append(out, state)
			}
		}
	}
	return out, nil
}

func stateWords() string {
	words := make([]string, len(jobs.States))
	for i, s := range jobs.States {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// number reads a whole number from low to high; unset if key is not there.
func number(query url.Values, key string, unset, low, high int) (int, error) {
	v := query.Get(key)
	if v == "" {
		return unset, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return 0, badRequest(fmt.Sprintf("%s is %q, want a whole number from %d to %d", key, fit(v, 60), low, high))
	}
	return n, nil
}

// cursor reads the place in the list from which older jobs follow; 0 if key is
// not there.
func cursor(query url.Values, key string) (int64, error) {
	v := query.Get(key)
	if v == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 || n == math.MaxInt64 {
		return 0, badRequest(fmt.Sprintf("%s %q is none that was handed out", key, fit(v, 60)))
	}
	return n, nil
}
