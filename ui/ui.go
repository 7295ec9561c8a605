package ui

import (
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options is what the page is made from.
type Options struct {
	Queue    *jobs.Queue
	StateDir string // absolute; the logs' names are relative to it

	// Listen is the address as configured ("127.0.0.1:8080", "unix:/path"). It
	// decides which Host names are answered.
	Listen string
	// AllowedHosts gives further Host names; asked at every request, so that a
	// changed configuration counts at once. nil means none.
	AllowedHosts func() []string

	// Enter decides whether a request is let in: 0 if it is, 401 if a name and a
	// password are asked for, 429 if it is to come again after a while. It may
	// block. nil lets everybody in.
	Enter func(*http.Request) (code int, after time.Duration)

	// Ready returns nil while requests are taken, else why they are not. nil
	// means always ready.
	Ready func() error
	// Status is asked at every page. nil means there is nothing to say.
	Status func() Status
	// Catalog is the configuration in force, which has the schedules. nil means
	// that there are none.
	Catalog func() *jobs.Catalog
	// Readings is what is measured of the jobs that run, by their id; asked at
	// every page, so it must not cost much. nil means that nothing is measured.
	Readings func() map[string]*jobs.Reading
	// Changed tells of each commit to the database, as Queue.Changed does, which is
	// what nil means. A Queue that was opened for reading tells nothing: then who
	// follows the jobs looks once a second.
	Changed func() (changed <-chan struct{}, stop func())
	// Metrics answers /metrics. nil means that there are none.
	Metrics http.Handler

	Log zerolog.Logger
}

// Status is what the page says of the daemon itself.
type Status struct {
	Version       string    // "" is not shown
	Node          string    // name of this machine; "" is not shown
	StartedAt     time.Time // when the daemon started; zero is not shown
	MaxConcurrent int       // jobs at once; 0 is not shown
	QueueFile     string    // base name of the queue file; "" means job_queue.txt
	ConfigError   string    // why a changed configuration is not in force; "" if it is
	Notes         []Note
	Ignored       []Ignored // files in the inbox that are left alone
	System        System
}

// Level is how much a Note matters.
type Level string

// Levels of a Note.
const (
	Info  Level = "info"
	Warn  Level = "warn"
	Error Level = "error"
)

// Note is one thing to know about the daemon, such as "events: native".
type Note struct {
	Level Level // "" means Info
	Text  string
}

// Ignored is a file in the inbox that is not taken, and why.
type Ignored struct {
	Name string
	Why  string
}

// server answers every route. What is not guarded in itself is not changed once
// made.
type server struct {
	Options
	hosts     hostPolicy
	streams   *streams
	views     *views
	feed      *feed
	headlines *headlines
	indexes   *lineIndexes
	pages     http.Handler // every route, without what guards them
	now       func() time.Time
}

// Handler answers every route of the page and the API. It is safe for use by
// many connections at once.
func Handler(o Options) http.Handler { return newServer(o).guarded() }

func newServer(o Options) *server {
	if o.AllowedHosts == nil {
		o.AllowedHosts = func() []string { return nil }
	}
	if o.Enter == nil {
		o.Enter = func(*http.Request) (int, time.Duration) { return 0, 0 }
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	if o.Status == nil {
		o.Status = func() Status { return Status{} }
	}
	if o.Catalog == nil {
		o.Catalog = func() *jobs.Catalog { return &jobs.Catalog{} }
	}
	if o.Readings == nil {
		o.Readings = func() map[string]*jobs.Reading { return nil }
	}
	if o.Metrics == nil {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fail(w, r, http.StatusNotFound, "there are no metrics here")
		})
	}
	if o.Changed == nil {
		o.Changed = o.Queue.Changed
	}
	s := &server{
		Options: o, hosts: newHostPolicy(o.Listen, o.AllowedHosts), streams: newStreams(), views: newViews(),
		headlines: newHeadlines(), indexes: newLineIndexes(), now: time.Now, feed: &feed{queue: o.Queue, readings: o.Readings},
	}
	s.pages = timed(s.routes())
	return s
}

// guarded is every route behind what is the same for all of them.
func (s *server) guarded() http.Handler {
	return s.recovered(readOnly(bounded(s.hosts.guard(ownSite(s.entered(s.pages))))))
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.healthz)
	mux.HandleFunc("/readyz", s.readyz)
	mux.HandleFunc("/{$}", s.overview)
	mux.HandleFunc("/jobs", s.list)
	mux.HandleFunc("/jobs/{id}", s.job)
	mux.HandleFunc("/jobs/{id}/log", s.logPage)
	mux.HandleFunc("/timeline", s.timeline)
	mux.HandleFunc("/types", s.types)
	mux.HandleFunc("/types/{name}", s.typePage)
	mux.HandleFunc("/system", s.system)
	mux.HandleFunc("/live", s.live)
	mux.HandleFunc("/api/v1/events", s.apiEvents)
	mux.HandleFunc("/api/v1/jobs", s.asJSON(s.apiList))
	mux.HandleFunc("/api/v1/jobs/{id}", s.asJSON(s.apiJob))
	mux.HandleFunc("/api/v1/jobs/{id}/log", s.apiLog)
	mux.HandleFunc("/api/v1/jobs/{id}/series", s.asJSON(s.apiSeries))
	mux.HandleFunc("/api/v1/samples", s.asJSON(s.apiSamples))
	mux.HandleFunc("/api/v1/schedules", s.asJSON(s.apiSchedules))
	mux.HandleFunc("/api/v1/stats", s.asJSON(s.apiStats))
	mux.HandleFunc("/api/v1/system", s.asJSON(s.apiSystem))
	mux.HandleFunc("/api/v1/types", s.asJSON(s.apiTypes))
	mux.Handle("/metrics", s.Metrics)
	mux.HandleFunc("/openapi.json", s.openapi)
	mux.Handle("/static/", static())
	mux.HandleFunc("/", s.notFound)
	return mux
}
