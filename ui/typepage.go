package ui

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

type typePageView struct {
	Type      typeView
	Command   string
	Facts     []fact
	Params    []string
	Chart     *chartView // how long the latest took; nil if none ran
	Latest    []runView
	Links     []linkView
	Schedules []scheduleView
}

// runView is a job that ran, as a mark that leads to it.
type runView struct {
	URL, Words string
	State      stateView
}

func (s *server) typePage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	v, err := s.viewTypePage(r.Context(), name)
	if err != nil {
		s.pageError(w, r, "Not now", err)
		return
	}
	if v == nil {
		s.renderError(w, r, http.StatusNotFound, errorView{Heading: "No such type", Words: fmt.Sprintf("There is no type %q.", fit(name, 100))})
		return
	}
	s.render(w, r, http.StatusOK, typePage, frame{Title: "Type " + v.Type.Name, Nav: "types", Every: every, Reload: 6 * reload, Main: v})
}

// viewTypePage gives nil for a type that is neither configured nor known.
func (s *server) viewTypePage(ctx context.Context, name string) (*typePageView, error) {
	all, err := s.allTypes(ctx)
	if err != nil {
		return nil, err
	}
	t, states := all.configured[name], all.stats.Types[name]
	if t == nil && states == nil {
		return nil, nil
	}
	v := &typePageView{Links: typeLinks(name, states)}
	if v.Type, err = s.viewType(ctx, all, name); err != nil {
		return nil, err
	}
	if t != nil {
		v.Command, v.Facts, v.Params = typeCommand(t, maxCommand), typeFacts(t), paramWords(t.Params)
	}
	runs, err := s.Queue.RunsOf(ctx, name, states)
	if err != nil {
		return nil, err
	}
	v.Chart = durationChart(runs.Latest)
	for _, run := range slices.Backward(runs.Latest[:min(len(runs.Latest), maxOutcomes)]) {
		st := viewState(run.State)
		v.Latest = append(v.Latest, runView{"/jobs/" + short(run.ID), st.Word + ", took " + duration(run.Took()), st})
	}
	v.Schedules, _, err = s.viewSchedules(ctx, func(sc jobs.Scheduled) bool { return makes(sc, name) })
	return v, err
}

// makes reports whether the jobs of a schedule are of a type, as far as its
// request says so itself.
func makes(sc jobs.Scheduled, name string) bool {
	return sc.Request != nil && (sc.Request.Type == name || sc.Request.Type == "" && sc.Target() == name)
}

// typeLinks lead to the jobs of a type by their states.
func typeLinks(name string, states map[jobs.State]int) []linkView {
	var out []linkView
	add := func(words string, states ...jobs.State) {
		out = append(out, linkView{listURL(jobs.Filter{States: states, Type: name}.Text(), "", 0), words})
	}
	add("All jobs of it")
	for _, state := range jobs.States {
		if n := states[state]; n > 0 {
			add(fmt.Sprintf("%d %s", n, state), state)
		}
	}
	return out
}

// typeFacts is everything about a type that is set. Values of variables are
// secret.
func typeFacts(t *jobs.Type) []fact {
	var out []fact
	add := func(name string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			for i, value := range values {
				values[i] = clean(value, 300)
			}
			out = append(out, fact{Name: name, Values: values})
		}
	}
	add("Scripts from", t.Scripts)
	add("Extensions", strings.Join(t.Extensions, ", "))
	add("Arguments", argWords(t.Args))
	add("Folder", t.Workdir)
	add("At once", countWords(t.MaxConcurrent))
	add("Slots it takes", slotCounts(t.Slots))
	if t.Priority != 0 {
		add("Priority", strconv.Itoa(t.Priority))
	}
	add("Time limit", durationWords(t.Timeout))
	add("Between SIGTERM and SIGKILL", durationWords(t.KillGrace))
	if t.MaxRetries > 0 {
		add("Retries", fmt.Sprintf("%d, the first after %s", t.MaxRetries, t.RetryDelay), "of "+retryWords(t.RetryOn))
	}
	add("COMPLETED with", codeWords(t.SuccessCodes))
	add("Limits", limitWords(t)...)
	add("Runs as", t.RunAs)
	add("If the script was changed", onChangeWords(t.OnChange))
	add("Progress", progressWords(t))
	add("Variables that are set", namesOf(t.Env)...)
	add("Variables handed on", t.EnvPass...)
	add("Variables that a request may set", t.EnvAllow...)
	if n := len(t.OnFinish); n > 0 {
		add("Hooks of its own", strconv.Itoa(n))
	}
	return out
}

func argWords(r jobs.ArgRules) string {
	var words string
	switch {
	case r.Max < 0 && r.Min == 0:
		words = "any number"
	case r.Max < 0:
		words = fmt.Sprintf("%d or more", r.Min)
	case r.Min == r.Max:
		words = strconv.Itoa(r.Min)
	default:
		words = fmt.Sprintf("%d to %d", r.Min, r.Max)
	}
	if r.Pattern != nil {
		words += ", each " + strings.TrimSuffix(strings.TrimPrefix(r.Pattern.String(), "^(?:"), ")$")
	}
	return words
}

func countWords(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func durationWords(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func slotCounts(slots map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(slots)) {
		all = append(all, fmt.Sprintf("%d %s", slots[name], name))
	}
	return strings.Join(all, ", ")
}

func codeWords(codes []int) string {
	var all []string
	for _, c := range codes {
		all = append(all, strconv.Itoa(c))
	}
	if len(all) == 0 {
		return ""
	}
	return "exit " + strings.Join(all, ", ")
}

func retryWords(r jobs.RetryRules) string {
	var all []string
	if r.Failed {
		all = append(all, "any failure")
	}
	if len(r.Codes) > 0 {
		all = append(all, codeWords(r.Codes))
	}
	all = append(all, r.Signals...)
	if r.Timeout {
		all = append(all, "a timeout")
	}
	if r.Lost {
		all = append(all, "LOST")
	}
	return strings.Join(all, ", ")
}

func limitWords(t *jobs.Type) []string {
	var all []string
	if t.MemoryLimit > 0 {
		all = append(all, jobs.RoughSize(t.MemoryLimit)+" of memory")
	}
	if t.CPULimit > 0 {
		all = append(all, strconv.FormatFloat(t.CPULimit, 'f', -1, 64)+" processors")
	}
	if t.Nice != nil {
		all = append(all, "nice "+strconv.Itoa(*t.Nice))
	}
	if t.MaxLog > 0 {
		all = append(all, jobs.RoughSize(t.MaxLog)+" of output is kept")
	}
	if t.Umask >= 0 {
		all = append(all, fmt.Sprintf("umask %04o", t.Umask))
	}
	return all
}

func onChangeWords(c jobs.OnChange) string {
	switch c {
	case jobs.OnChangeCopy:
		return "it runs as it was"
	case jobs.OnChangeReject:
		return "the job fails"
	}
	return ""
}

func progressWords(t *jobs.Type) string {
	var all []string
	switch {
	case t.Progress.Off:
		all = append(all, "is not looked for")
	case t.Progress.Pattern != nil:
		all = append(all, "by "+t.Progress.Pattern.String())
	}
	if t.TTY {
		all = append(all, "output to a terminal")
	}
	return strings.Join(all, ", ")
}

func namesOf(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

// paramWords say what a type's named parameters are.
func paramWords(params []jobs.Param) []string {
	var out []string
	for i, p := range params {
		if i == maxParams {
			return append(out, fmt.Sprintf("and %d more", len(params)-i))
		}
		words := p.Name + ": " + string(p.Kind)
		if len(p.Values) > 0 {
			words += " of " + strings.Join(p.Values, ", ")
		}
		if p.HasDefault && p.Kind != jobs.ParamSecret {
			words += ", " + jobs.Quote(p.Default) + " unless given"
		} else if !p.HasDefault {
			words += ", must be given"
		}
		out = append(out, clean(words, 200))
	}
	return out
}

// durationChart shows how long runs took, the latest at the right.
func durationChart(latest []jobs.Run) *chartView {
	if len(latest) < 2 {
		return nil
	}
	var good, bad []float64
	var longest time.Duration
	for _, run := range slices.Backward(latest) {
		took := run.Took()
		longest = max(longest, took)
		if run.State == jobs.Completed {
			good, bad = append(good, took.Seconds()), append(bad, math.NaN())
		} else {
			good, bad = append(good, math.NaN()), append(bad, took.Seconds())
		}
	}
	label := fmt.Sprintf("How long the latest %d took, up to %s", len(latest), duration(longest))
	return &chartView{
		Name: "Time", Figure: "up to " + duration(longest), Note: fmt.Sprintf("the latest %d runs, the newest at the right; red did not come out COMPLETED", len(latest)),
		Chart: chart{Label: label, Height: 40, Top: max(longest.Seconds(), 0.001), Layers: []layer{{dots, "c-ok", good}, {dots, "c-bad", bad}}},
	}
}
