package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jobrunner/metrics"
	"jobrunner/ui"
)

// ready says why no requests are taken; nil if they are.
func (d *daemon) ready() error {
	if err := d.queue.Healthy(); err != nil {
		return err
	}
	if !d.taking.Load() {
		return errors.New("starting or stopping")
	}
	w := d.watcher.Status()
	if why := cmp.Or(w.Stopped, w.Full); why != "" {
		return errors.New(why)
	}
	return nil
}

// status is what the page says of the daemon.
func (d *daemon) status() ui.Status {
	s := ui.Status{
		Version: versionText(), Node: node(), StartedAt: d.since,
		MaxConcurrent: d.catalog().MaxConcurrent, QueueFile: filepath.Base(d.first.QueueFile),
	}
	if refused := d.refused.Load(); refused != nil {
		s.ConfigError = *refused
	}
	if err := d.queue.Healthy(); err != nil {
		s.Notes = append(s.Notes, ui.Note{Level: ui.Error, Text: "nothing new is taken, the disk does not work: " + err.Error()})
	}
	if why := d.runner.Hindered(); why != "" {
		s.Notes = append(s.Notes, ui.Note{Level: ui.Error, Text: "no job can be started, they wait until this works again: " + why})
	}
	for _, f := range d.current.Load().TypeFaults {
		s.Notes = append(s.Notes, ui.Note{Level: ui.Warn, Text: f.Error()})
	}
	for _, f := range d.files {
		if words := f.problem(); words != "" {
			s.Notes = append(s.Notes, ui.Note{Level: ui.Warn, Text: words})
		}
	}
	for _, words := range d.accessProblems() {
		s.Notes = append(s.Notes, ui.Note{Level: ui.Error, Text: words})
	}
	w := d.watcher.Status()
	s.System = d.system(w)
	for _, note := range w.Notes {
		s.Notes = append(s.Notes, ui.Note{Level: ui.Warn, Text: note})
	}
	for _, w := range *d.warnings.Load() {
		s.Notes = append(s.Notes, ui.Note{Level: ui.Warn, Text: w})
	}
	if w.Events != "" {
		s.Notes = append(s.Notes, ui.Note{Text: "events: " + w.Events})
	}
	if w.More > 0 {
		s.Notes = append(s.Notes, ui.Note{Text: fmt.Sprintf("%d more files in the inbox are ignored", w.More)})
	}
	for _, i := range w.Ignored {
		s.Ignored = append(s.Ignored, ui.Ignored{Name: i.Name, Why: i.Why})
	}
	return s
}

// facts are what the metrics have of the daemon.
func (d *daemon) facts() metrics.Facts {
	w := d.watcher.Status()
	return metrics.Facts{
		Ready: d.ready() == nil, WritesFail: d.queue.Healthy() != nil, StartsFail: d.runner.Hindered() != "",
		ConfigRefused: d.refused.Load() != nil || len(d.current.Load().TypeFaults) > 0,
		Events:        w.Events, Ignored: len(w.Ignored) + w.More, DatabaseBytes: d.databaseSize(),
	}
}

// databaseSize is what the database takes on disk, in bytes.
func (d *daemon) databaseSize() (size int64) {
	for _, name := range []string{databaseFile, databaseFile + "-wal"} {
		if info, err := os.Stat(filepath.Join(d.first.StateDir, name)); err == nil {
			size += info.Size()
		}
	}
	return size
}
