package metrics

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options is what Metrics are made from. Queue and Catalog must be set.
type Options struct {
	Queue   *jobs.Queue // it is read from
	Changed func() (changed <-chan struct{}, stop func())
	Catalog func() *jobs.Catalog // the one in force; never nil
	// Facts is asked each time that somebody asks. nil means that nothing is known.
	Facts   func() Facts
	Version string // of this program
	Log     zerolog.Logger
}

// Facts are what only the daemon knows.
type Facts struct {
	Ready         bool   // requests are taken
	WritesFail    bool   // nothing can be written to the database
	StartsFail    bool   // jobs cannot be started
	ConfigRefused bool   // a changed configuration is not in force, or a file of a type is not
	Events        string // "native", or how the inbox is looked through instead; "" while that is not known
	Ignored       int    // files in the inbox that are left alone
	DatabaseBytes int64  // on disk
}

// Metrics are the counters of one daemon, and what gives them and the rest.
type Metrics struct {
	o        Options
	registry *prometheus.Registry
	counted  int64 // the event up to which all is counted; touched only by New and Run

	accepted, retried *prometheus.CounterVec // by type
	ended             *prometheus.CounterVec // by type and state
	rejected          prometheus.Counter
	waited, ran       *prometheus.HistogramVec // by type
}

// spans are the bounds of the histograms in seconds: jobs take from a moment to
// days.
var spans = []float64{0.1, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600}

// New makes Metrics that count from now on.
func New(o Options) (*Metrics, error) {
	last, err := o.Queue.LastEvent(context.Background())
	if err != nil {
		return nil, err
	}
	if o.Facts == nil {
		o.Facts = func() Facts { return Facts{} }
	}
	if o.Changed == nil {
		o.Changed = o.Queue.Changed
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: spans}, []string{"type"})
	}
	m := &Metrics{
		o: o, counted: last, registry: prometheus.NewRegistry(),
		accepted: counter("jobrunner_jobs_accepted_total", "Jobs that were accepted since the daemon started.", "type"),
		retried:  counter("jobrunner_attempts_retried_total", "Attempts that ended and are followed by another one, by themselves, since the daemon started.", "type"),
		ended:    counter("jobrunner_jobs_ended_total", "Jobs that ended since the daemon started.", "type", "state"),
		rejected: prometheus.NewCounter(prometheus.CounterOpts{Name: "jobrunner_requests_rejected_total",
			Help: "Requests that were REJECTED since the daemon started."}),
		waited: histogram("jobrunner_job_wait_seconds", "Time from which a job could start by itself to the start of its first attempt."),
		ran:    histogram("jobrunner_job_run_seconds", "Time for which the last attempt of a job that ended ran."),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jobrunner_build_info", Help: "Always 1; the labels tell what runs.",
		ConstLabels: prometheus.Labels{"version": o.Version, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
	for _, c := range []prometheus.Collector{
		m.accepted, m.retried, m.ended, m.rejected, m.waited, m.ran, build, newPresent(m),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := m.registry.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

// Handler answers with all metrics, in the form that the client asks for. What
// cannot be read at the moment is left out, and logged.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: errorLog{m.o.Log}, ErrorHandling: promhttp.ContinueOnError, EnableOpenMetrics: true,
	})
}

// errorLog is where promhttp writes its errors to.
type errorLog struct{ zerolog.Logger }

func (l errorLog) Println(v ...any) { l.Error().Str("error", fmt.Sprint(v...)).Msg("giving metrics") }

// Run counts until ctx ends. What cannot be read is counted later.
func (m *Metrics) Run(ctx context.Context) error {
	const every = time.Second // a job's few events then mostly come together
	changed, stop := m.o.Changed()
	defer stop()
	for failing := false; ; {
		err := m.count(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			m.o.Log.Error().Err(err).Msg("counting for the metrics; trying again")
		}
		failing = err != nil
		if !failing {
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// count counts what has happened since it last did.
func (m *Metrics) count(ctx context.Context) error {
	for {
		c, err := m.o.Queue.Changes(ctx, m.counted, 500)
		if err != nil {
			return err
		}
		for _, one := range c.List {
			m.note(one)
		}
		if c.Last == m.counted {
			return nil
		}
		m.counted = c.Last
	}
}

// note counts one change.
func (m *Metrics) note(c jobs.Change) {
	j, name := c.Job, m.label(c.Job.Type)
	switch {
	case c.Event.Kind == jobs.EventAccepted && j.State == jobs.Rejected:
		m.rejected.Inc()
	case c.Event.Kind == jobs.EventAccepted && j.State == jobs.Pending:
		m.accepted.WithLabelValues(name).Inc()
	case c.Event.Kind == jobs.EventAgain:
		m.retried.WithLabelValues(name).Inc()
	case c.Event.Kind == jobs.EventStarted && j.Attempt == 1:
		could := j.SubmittedAt
		if j.NotBefore.After(could) {
			could = j.NotBefore
		}
		m.waited.WithLabelValues(name).Observe(max(0, j.StartedAt.Sub(could).Seconds()))
	case c.Event.Ends():
		m.ended.WithLabelValues(name, string(j.State)).Inc()
		if !j.StartedAt.IsZero() {
			m.ran.WithLabelValues(name).Observe(max(0, j.FinishedAt.Sub(j.StartedAt).Seconds()))
		}
	}
}

// other stands for all types that are not configured: anybody can make up names
// in what is rejected, and history may have any.
const other = "(other)"

// label is the label of a type.
func (m *Metrics) label(name string) string {
	if m.o.Catalog().Types[name] != nil {
		return name
	}
	return other
}
