package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"

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
	w := d.watcher.Status()
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
