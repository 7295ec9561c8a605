package metrics

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"jobrunner/jobs"
)

// askTime bounds how long the queue may take to say what is.
const askTime = 10 * time.Second

// present gives what is so at the moment.
type present struct {
	m     *Metrics
	descs map[string]*prometheus.Desc
}

// presentHelp is the help of each metric; the labels follow its name.
var presentHelp = []struct {
	name, help string
	labels     []string
}{
	{"jobrunner_jobs", "Jobs in the database.", []string{"type", "state"}},
	{"jobrunner_pending_oldest_age_seconds", "Time since the job was submitted that has waited longest, held or not; 0 if none waits.", nil},
	{"jobrunner_max_concurrent_jobs", "Jobs that may run at once.", nil},
	{"jobrunner_slot_tokens", "Tokens of a named slot that are configured, each as often as it may be shared.", []string{"slot"}},
	{"jobrunner_slot_tokens_used", "Tokens of a named slot that running jobs hold.", []string{"slot"}},
	{"jobrunner_paused", "1 while jobs of a type are paused, or all.", []string{"type"}},
	{"jobrunner_draining", "1 while the queue is drained: nothing new starts.", nil},
	{"jobrunner_ready", "1 while requests are taken.", nil},
	{"jobrunner_database_up", "1 if the database could be read just now.", nil},
	{"jobrunner_database_writes_failing", "1 while nothing can be written to the database.", nil},
	{"jobrunner_database_size_bytes", "Size of the database on disk.", nil},
	{"jobrunner_starts_failing", "1 while jobs cannot be started.", nil},
	{"jobrunner_config_refused", "1 while a changed configuration, or the file of a type, is not in force because it is bad.", nil},
	{"jobrunner_inbox_events", "1 for the way in which the inbox is watched: native or polling.", []string{"mode"}},
	{"jobrunner_inbox_ignored_files", "Files in the inbox that are left alone.", nil},
}

func newPresent(m *Metrics) *present {
	p := &present{m: m, descs: map[string]*prometheus.Desc{}}
	for _, h := range presentHelp {
		p.descs[h.name] = prometheus.NewDesc(h.name, h.help, h.labels, nil)
	}
	return p
}

// Describe is for Prometheus.
func (p *present) Describe(out chan<- *prometheus.Desc) {
	for _, d := range p.descs {
		out <- d
	}
}

// Collect is for Prometheus.
func (p *present) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	gauge := func(name string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(p.descs[name], prometheus.GaugeValue, value, labels...)
	}
	p.m.begin()
	p.facts(gauge)
	err := p.queue(ctx, gauge)
	if err != nil {
		p.m.o.Log.Error().Err(err).Msg("reading the queue for the metrics")
	}
	gauge("jobrunner_database_up", truth(err == nil))
}

// begin has the counters of every configured type begin at 0, or the first of
// what they count would not be seen as a change.
func (m *Metrics) begin() {
	for name := range m.o.Catalog().Types {
		m.accepted.WithLabelValues(name)
		m.retried.WithLabelValues(name)
		m.waited.WithLabelValues(name)
		m.ran.WithLabelValues(name)
		for _, state := range []jobs.State{jobs.Completed, jobs.Failed, jobs.Cancelled, jobs.Timeout, jobs.Lost} {
			m.ended.WithLabelValues(name, string(state))
		}
	}
}

// gauging gives one value.
type gauging func(name string, value float64, labels ...string)

// facts gives what is known without the queue.
func (p *present) facts(gauge gauging) {
	f, c := p.m.o.Facts(), p.m.o.Catalog()
	gauge("jobrunner_max_concurrent_jobs", float64(c.MaxConcurrent))
	gauge("jobrunner_ready", truth(f.Ready))
	gauge("jobrunner_database_writes_failing", truth(f.WritesFail))
	gauge("jobrunner_database_size_bytes", float64(f.DatabaseBytes))
	gauge("jobrunner_starts_failing", truth(f.StartsFail))
	gauge("jobrunner_config_refused", truth(f.ConfigRefused))
	gauge("jobrunner_inbox_events", truth(f.Events == "native"), "native")
	gauge("jobrunner_inbox_events", truth(f.Events != "" && f.Events != "native"), "polling")
	gauge("jobrunner_inbox_ignored_files", float64(f.Ignored))
	for name, pool := range c.Slots {
		gauge("jobrunner_slot_tokens", float64(len(pool.Tokens)*max(pool.PerSlot, 1)), name)
	}
}

// queue gives what the queue knows.
func (p *present) queue(ctx context.Context, gauge gauging) error {
	q, c := p.m.o.Queue, p.m.o.Catalog()
	stats, err := q.Stats(ctx)
	if err != nil {
		return err
	}
	p.jobs(stats, gauge)
	oldest, err := q.OldestPending(ctx)
	if err != nil {
		return err
	}
	age := 0.0
	if !oldest.IsZero() {
		age = max(0, time.Since(oldest).Seconds())
	}
	gauge("jobrunner_pending_oldest_age_seconds", age)
	brakes, err := q.Brakes(ctx)
	if err != nil {
		return err
	}
	gauge("jobrunner_draining", truth(brakes.Draining))
	for name := range c.Types {
		gauge("jobrunner_paused", truth(brakes.All || brakes.Types[name]), name)
	}
	running, err := q.Running(ctx)
	if err != nil {
		return err
	}
	used := map[string]int{}
	for _, j := range running {
		for name, tokens := range j.Slots {
			used[name] += len(tokens)
		}
	}
	for name := range c.Slots {
		gauge("jobrunner_slot_tokens_used", float64(used[name]), name)
	}
	return nil
}

// jobs gives how many there are, of each configured type in every state.
func (p *present) jobs(stats jobs.Stats, gauge gauging) {
	rest := maps.Clone(stats.States)
	for _, name := range slices.Sorted(maps.Keys(p.m.o.Catalog().Types)) {
		for _, state := range jobs.States {
			n := stats.Types[name][state]
			gauge("jobrunner_jobs", float64(n), name, string(state))
			rest[state] -= n
		}
	}
	for _, state := range jobs.States {
		gauge("jobrunner_jobs", float64(rest[state]), other, string(state))
	}
}

func truth(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
