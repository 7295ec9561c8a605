package main

import (
	"errors"
	"fmt"
	"time"

	"jobrunner/config"
)

// reload puts a changed configuration in force.
func (d *daemon) reload(next *config.Config) {
	before := d.warnings.Load()
	d.current.Store(next)
	d.loadedAt.Store(new(time.Now()))
	d.follow(next)
	d.warnings.Store(warningsOf(next))
	d.logWarnings(*before)
	d.refused.Store(nil)
	d.faults.Store(nil)
	d.queue.SetCatalog(next.Catalog)
	d.view.SetCatalog(next.Catalog)
	d.runner.Reload()
	d.clock.Reload()
	d.courier.Reload()
	for _, f := range d.files {
		f.reload()
	}
	d.log.Info().Str("config", next.Path).Int("max_concurrent", next.Catalog.MaxConcurrent).
		Int("types", len(next.Catalog.Types)).Msg("configuration loaded")
	d.logTypeFaults(next)
	if keys := d.first.FixedChanged(next); len(keys) > 0 {
		d.log.Warn().Strs("keys", keys).Msg("these keys take effect at the next start")
	}
	d.sink.set(next.Log)
}

// logTypeFaults says what is wrong with the files of types, each fault once.
func (d *daemon) logTypeFaults(c *config.Config) {
	for _, f := range c.NewTypeFaults {
		d.log.Error().Str("fault", f.Error()).Msg("file of a type refused")
	}
}

// refuse notes why a changed configuration is not in force.
func (d *daemon) refuse(err error) {
	words := []string{err.Error()}
	var faults config.Faults
	if errors.As(err, &faults) {
		words = words[:0]
		for _, f := range faults {
			words = append(words, f.Error())
		}
	}
	d.faults.Store(&words)
	text := words[0]
	if more := len(words) - 1; more > 0 {
		text = fmt.Sprintf("%s (and %s more)", text, count(more, "fault"))
	}
	d.refused.Store(&text)
	d.log.Error().Strs("faults", words).Msg("changed configuration refused, the one before stays in force")
}
