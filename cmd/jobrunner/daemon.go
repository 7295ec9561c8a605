package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/access"
	"jobrunner/config"
	"jobrunner/hooks"
	"jobrunner/jobs"
	"jobrunner/meter"
	"jobrunner/metrics"
	"jobrunner/progress"
	"jobrunner/retention"
	"jobrunner/runner"
	"jobrunner/schedule"
	"jobrunner/ui"
	"jobrunner/watcher"
)

// daemon is all that serve holds open, and how it fits together.
type daemon struct {
	first   *config.Config                // as it was at the start: folders and page stay where they are
	current atomic.Pointer[config.Config] // in force
	refused atomic.Pointer[string]        // why a changed configuration is not in force; nil if it is
	taking  atomic.Bool                   // requests are taken
	since   time.Time

	warnings atomic.Pointer[[]string]      // of the configuration in force
	loadedAt atomic.Pointer[time.Time]     // when the configuration in force was read
	faults   atomic.Pointer[[]string]      // all of what refused is the first of
	places   atomic.Pointer[[]ui.Place]    // as the last look at the disks saw them
	access   atomic.Pointer[config.Config] // whose password_file and tls are in force

	log       zerolog.Logger
	sink      *logSink
	lock      *folderLock
	queueLock *queueLock // nil where files cannot be locked
	queue     *jobs.Queue
	view      *jobs.Queue  // what the page reads; of its own, so that however many read it no job waits for them
	listener  net.Listener // nil without a page
	door      *access.Door
	pair      *access.Certificates
	metrics   *metrics.Metrics // nil without a page
	watcher   *watcher.Watcher
	runner    *runner.Runner
	clock     *schedule.Clock
	courier   *hooks.Courier
	keeper    *retention.Keeper
	meter     *meter.Meter
	files     []*statusFile

	drained chan struct{} // closed by the runner when a drain has come to its end
}

// openDaemon opens everything that can fail before anything is done: when it
// returns an error, no request was taken and no job started.
func openDaemon(cfg *config.Config, log zerolog.Logger, sink *logSink) (d *daemon, err error) {
	d = &daemon{first: cfg, log: log, sink: sink, since: time.Now(), drained: make(chan struct{})}
	d.current.Store(cfg)
	d.access.Store(cfg)
	d.loadedAt.Store(&d.since)
	d.places.Store(new([]ui.Place))
	d.warnings.Store(warningsOf(cfg)) // before the state folder is closed to others
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	if err := checkLocal(cfg); err != nil {
		return d, err
	}
	if err := d.openAccess(); err != nil {
		return d, err
	}
	if err := makeFolder(cfg.StateDir); err != nil {
		return d, err
	}
	if d.lock, err = takeLock(cfg.StateDir); err != nil {
		return d, err
	}
	if d.queue, err = jobs.OpenTelling(filepath.Join(cfg.StateDir, databaseFile), d.tellMigration); err != nil {
		return d, err
	}
	if d.view, err = jobs.OpenReader(filepath.Join(cfg.StateDir, databaseFile)); err != nil {
		return d, err
	}
	d.queue.SetCatalog(cfg.Catalog)
	d.view.SetCatalog(cfg.Catalog)
	if err := d.keepAlone(cfg); err != nil {
		return d, err
	}
	if cfg.Listen != "" {
		if d.listener, err = ui.Listen(cfg.Listen); err != nil {
			return d, &hintedError{
				err:  fmt.Errorf("the page cannot be served, see the key listen in %s: %w", filepath.Base(cfg.Path), err),
				hint: `set listen to another address, for example listen: 127.0.0.1:8081, or to "" for no page`,
			}
		}
		if d.metrics, err = metrics.New(metrics.Options{
			Queue: d.view, Changed: d.queue.Changed, Catalog: d.catalog, Facts: d.facts, Version: versionText(), Log: log,
		}); err != nil {
			return d, err
		}
	}
	if d.watcher, err = watcher.New(watcher.Options{
		Inbox: cfg.Inbox, Outbox: cfg.Outbox, QueueFile: cfg.QueueFile, StateDir: cfg.StateDir,
		Queue: d.queue, Catalog: d.catalog, Settings: d.settings, Local: config.LocalFileSystem, Log: log,
	}); err != nil {
		return d, err
	}
	command, err := supervisorCommand(cfg.StateDir)
	if err != nil {
		return d, err
	}
	d.runner = runner.New(runner.Options{
		StateDir: cfg.StateDir, Queue: d.queue, Catalog: d.catalog, Command: command, Log: log,
		Drained: func() { close(d.drained) },
	})
	d.clock = schedule.New(schedule.Options{StateDir: cfg.StateDir, Queue: d.queue, Catalog: d.catalog, Log: log})
	d.keeper = retention.New(retention.Options{
		StateDir: cfg.StateDir, Queue: d.queue, Rule: func() jobs.Retention { return d.current.Load().Retention },
		Followed: d.followed, Undelivered: d.watcher.Undelivered, Discard: d.watcher.Discard, LetLeave: d.watcher.LetLeave, Log: log,
	})
	d.courier = hooks.New(hooks.Options{Queue: d.queue, Catalog: d.catalog, Log: log})
	d.meter = meter.New(meter.Options{StateDir: cfg.StateDir, Queue: d.queue, Catalog: d.catalog, Detect: detect, Log: log})
	d.files = d.newStatusFiles()
	return d, nil
}

// detect gives what finds out from the output of an attempt how far it has come.
func detect(rule jobs.ProgressRule, startedAt time.Time) meter.Detector {
	return progress.New(rule, startedAt)
}

// tellMigration is called before a database of an older jobrunner is brought to
// the present form: with a million jobs that takes a minute.
func (d *daemon) tellMigration(rows int64) {
	d.log.Info().Int64("jobs", rows).Msg("the database of an older jobrunner is brought to the present form; this can take a moment")
}

// followed gives the event up to which hooks and replies have told what there
// is to tell.
func (d *daemon) followed() int64 { return min(d.watcher.Followed(), d.courier.Told()) }

// keepAlone makes sure that nobody else runs the same jobs: a daemon on the same
// queue file, or on the folder of which the state folder is a copy.
func (d *daemon) keepAlone(cfg *config.Config) error {
	original, err := checkCopied(context.Background(), d.queue, cfg.StateDir)
	if err != nil {
		return err
	}
	if original != "" {
		d.log.Warn().Str("copy", cfg.StateDir).Str("original", original).
			Msg("the state folder is a copy: jobs that wait in both run twice if both are served")
	}
	d.queueLock, err = takeQueueLock(cfg.QueueFile, cfg.StateDir)
	var unlocked *unlockedError
	if errors.As(err, &unlocked) {
		d.log.Warn().Err(err).Str("file", cfg.QueueFile).
			Msg("the queue file cannot be locked: see to it that no other jobrunner keeps it")
		return nil
	}
	return err
}

// checkLocal refuses a state folder where the database would not be safe.
func checkLocal(cfg *config.Config) error {
	local, kind, err := config.LocalFileSystem(cfg.StateDir)
	if err != nil {
		return fmt.Errorf("checking the state folder: %w", err)
	}
	if !local {
		return &hintedError{
			err:  fmt.Errorf("the state folder %s is on %s, which is no local file system", cfg.StateDir, kind),
			hint: "set state_dir in " + filepath.Base(cfg.Path) + " to a folder on a local disk",
		}
	}
	return nil
}

// Close closes what is open, the lock last.
func (d *daemon) Close() {
	if d.watcher != nil {
		_ = d.watcher.Close() // what matters of it is in the queue
	}
	if d.listener != nil {
		_ = d.listener.Close() // served to the end, or never
	}
	if d.view != nil {
		_ = d.view.Close() // it only reads
	}
	if d.queue != nil {
		if err := d.queue.Close(); err != nil {
			d.log.Error().Err(err).Msg("closing the queue")
		}
	}
	if d.queueLock != nil {
		_ = d.queueLock.Close() // likewise
	}
	if d.lock != nil {
		_ = d.lock.Close() // the system drops it anyway
	}
}

func (d *daemon) catalog() *jobs.Catalog { return d.current.Load().Catalog }

func (d *daemon) settings() watcher.Settings {
	c := d.current.Load()
	return watcher.Settings{
		PollInterval: c.PollInterval, Settle: c.Settle, SettleBad: c.SettleBad,
		MaxRequestSize: c.MaxRequestSize, QueueKeep: c.QueueKeep,
	}
}

// run serves until ctx ends, or a drain has come to its end.
func (d *daemon) run(ctx context.Context) error {
	wake, stop := reloads()
	defer stop()
	g := newGroup(ctx)
	g.run(d.lock.watch)
	g.run(d.watchRoom)
	g.run(d.tellProblems)
	g.run(d.keepMemory)
	d.logWarnings(nil)
	d.log.Info().Int("pid", os.Getpid()).Str("version", versionText()).Str("config", d.first.Path).
		Str("page", d.page()).Int("max_concurrent", d.catalog().MaxConcurrent).Msg("jobrunner serves")
	d.logTypeFaults(d.first)
	if d.listener != nil {
		g.run(d.servePage)
		g.run(d.metrics.Run)
	}
	for _, f := range d.files {
		g.run(f.run)
	}
	switch err := d.prepared(g.ctx); {
	case err == nil:
		d.taking.Store(true)
		d.work(g, wake)
	case g.ctx.Err() == nil:
		g.fail(err)
	}
	<-g.ctx.Done()
	d.taking.Store(false)
	if err := g.wait(); err != nil {
		if lost := d.lock.lost(); lost != nil { // which is why the other thing went wrong
			return lost
		}
		return err
	}
	// The next daemon starts jobs again, unless this one was killed on its way.
	return d.queue.EndDrain(context.Background())
}

// prepareAgain is between two tries to prepare while the disk does not work.
const prepareAgain = time.Second

// prepared prepares, and while the disk is full or broken goes on trying: until
// then nothing is taken and nothing is started, and the page says why.
func (d *daemon) prepared(ctx context.Context) error {
	for said := false; ; said = true {
		err := d.prepare(ctx)
		if err == nil || d.queue.Healthy() == nil {
			return err
		}
		if !said {
			d.log.Error().Err(err).Msg("nothing can be begun, the disk does not work; trying again")
		}
		select {
		case <-time.After(prepareAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// prepare does what must be done before the first job starts: commands that lie
// in the inbox count, and lines that were removed; and hooks are told of every
// end from here on.
func (d *daemon) prepare(ctx context.Context) error {
	if err := d.courier.Prepare(ctx); err != nil {
		return err
	}
	return d.watcher.Prepare(ctx)
}

// work starts the parts that take requests in, run jobs and tell of them.
func (d *daemon) work(g *group, wake <-chan struct{}) {
	g.run(d.watcher.Run)
	g.run(d.runner.Run)
	g.run(d.clock.Run)
	g.run(d.courier.Run)
	g.run(d.keeper.Run)
	g.run(d.meter.Run)
	g.run(func(ctx context.Context) error {
		return config.Watch(ctx, d.first, 0, d.reload, d.refuse, wake)
	})
	g.run(func(ctx context.Context) error {
		select {
		case <-d.drained:
			g.cancel()
		case <-ctx.Done():
		}
		return nil
	})
}

// wasDrained reports whether a drain has come to its end.
func (d *daemon) wasDrained() bool {
	select {
	case <-d.drained:
		return true
	default:
		return false
	}
}

func (d *daemon) servePage(ctx context.Context) error {
	o := d.pageOptions()
	o.Metrics, o.Enter = d.metrics.Handler(), d.door.Enter
	return ui.Serve(d.log.WithContext(ctx), d.pair.Listener(d.listener), ui.Handler(o))
}

// pageOptions is what the page is made from, whoever looks at it.
func (d *daemon) pageOptions() ui.Options {
	return ui.Options{
		Queue: d.view, StateDir: d.first.StateDir, Listen: d.first.Listen,
		AllowedHosts: func() []string { return d.current.Load().AllowedHosts },
		Ready:        d.ready, Status: d.status, Catalog: d.catalog, Changed: d.queue.Changed,
		Readings: d.meter.Readings, Log: d.log,
	}
}

// page is where the page is, for people.
func (d *daemon) page() string {
	switch {
	case d.listener == nil:
		return "none"
	case d.listener.Addr().Network() == "unix":
		return d.first.Listen
	}
	if d.pair.On() {
		return "https://" + d.listener.Addr().String() + "/"
	}
	return "http://" + d.listener.Addr().String() + "/"
}
