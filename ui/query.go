package ui

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// maxQuery bounds what a search may hold, so that the page that repeats it
// stays small.
const maxQuery = 500

// maxLabelTerms is how many labels may be asked for at once.
const maxLabelTerms = 16

// parseQuery reads what stands behind the path. A per cent sign at the end of a value
// is one, as in line=50% as people write it: a browser sends it as it is.
func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery+"&", "%&", "%25&"))
	if err != nil {
		return nil, badRequest("the query cannot be read: " + err.Error())
	}
	return query, nil
}

// parseFilter reads q, state, type, group, label and since. An empty value is
// the same as none, as a form sends it.
func parseFilter(r *http.Request, now time.Time) (url.Values, jobs.Filter, error) {
	query, err := parseQuery(r)
	if err != nil {
		return nil, jobs.Filter{}, err
	}
	f := jobs.Filter{Type: query.Get("type"), Query: query.Get("q"), Group: strings.ToLower(query.Get("group"))}
	if len(f.Type) > maxQuery || len(f.Query) > maxQuery {
		return query, jobs.Filter{}, badRequest(fmt.Sprintf("q and type may have %d bytes at most", maxQuery))
	}
	if len(f.Group) > 36 || strings.Trim(f.Group, "0123456789abcdef-") != "" {
		return query, jobs.Filter{}, badRequest(fmt.Sprintf("group is %q, want the id of a sweep or its beginning", fit(f.Group, 60)))
	}
	if f.States, err = parseStates(query["state"]); err != nil {
		return query, f, err
	}
	if f.Labels, err = parseLabels(query["label"]); err != nil {
		return query, f, err
	}
	f.Since, err = parseSince(query.Get("since"), now)
	return query, f, err
}

// parseLabels reads labels of the form key or key=value. All of them must be
// there.
func parseLabels(values []string) (map[string]string, error) {
	out := map[string]string{}
	for _, v := range values {
		if v == "" {
			continue
		}
		key, value, _ := strings.Cut(v, "=")
		if len(v) > maxQuery || key == "" || len(out) == maxLabelTerms {
			return nil, badRequest(fmt.Sprintf("label is %q, want key or key=value, %d labels of %d bytes at most",
				fit(v, 60), maxLabelTerms, maxQuery))
		}
		if known := out[key]; known != "" && value != "" && known != value {
			return nil, badRequest(fmt.Sprintf("label %q cannot have two values at once", fit(key, 60)))
		}
		out[key] = cmp.Or(value, out[key])
	}
	return out, nil
}

// parseSince reads a time, or how long ago it was, as the search does.
func parseSince(v string, now time.Time) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	// Who forgets to escape the + of a zone has sent a blank.
	for _, text := range []string{v, strings.ReplaceAll(v, " ", "+")} {
		if t, ok := jobs.ParseWhen(text, now); ok {
			return t, nil
		}
	}
	return time.Time{}, badRequest(fmt.Sprintf("since is %q, want a time such as 2026-12-01T02:00:00Z or a duration such as 24h", fit(v, 60)))
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
