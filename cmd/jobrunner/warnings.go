package main

import (
	"slices"

	"jobrunner/config"
)

// warningsOf is what a configuration gives others that they should not have.
func warningsOf(c *config.Config) *[]string {
	var words []string
	for _, f := range c.Warnings() {
		words = append(words, f.Error())
	}
	return &words
}

// logWarnings logs the warnings in force that are not among those before.
func (d *daemon) logWarnings(before []string) {
	for _, w := range *d.warnings.Load() {
		if !slices.Contains(before, w) {
			d.log.Warn().Str("fault", w).Msg("not safe as it is configured")
		}
	}
}
