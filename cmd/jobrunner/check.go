package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"jobrunner/config"
	"jobrunner/jobs"
	"jobrunner/runner"
)

func newCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Validate the configuration and the machine it is to run on",
		Long: `check reads the configuration and looks whether interpreters, scripts and folders
are there. It prints everything that is wrong, a line each, and changes nothing.
Warnings are about what works and gives others more than they should have.
Where types limit what a job may use, it says how that is done on this machine.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.check() },
	}
}

func (a *app) check() error {
	cfg, err := config.LoadToServe(a.configPath())
	var faults config.Faults
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			a.note("%s", f.Error())
		}
		return exitError(exitFailed)
	case err != nil:
		return err
	}
	for _, w := range cfg.Warnings() {
		a.note("warning: %s", w.Error())
	}
	problems := cfg.Check()
	for _, p := range problems {
		a.note("%s", p.Fault.Error())
	}
	if !a.noteAccess(cfg) || len(problems) > 0 {
		return exitError(exitFailed)
	}
	if err := a.checkTerminal(cfg.Catalog.Types); err != nil {
		return err
	}
	page := cfg.Listen
	if page == "" {
		page = "none"
	}
	fmt.Fprintf(a.stdout, "%s is fine: %s, %s at once, page %s\n", filepath.Base(cfg.Path),
		count(len(cfg.Catalog.Types), "type"), count(cfg.Catalog.MaxConcurrent, "job"), page)
	for _, name := range slices.Sorted(maps.Keys(cfg.Catalog.Types)) {
		if words := runner.LimitWords(cfg.Catalog.Types[name], cfg.StateDir); words != "" {
			fmt.Fprintf(a.stdout, "type %s: %s\n", name, words)
		}
	}
	return nil
}

// checkTerminal looks whether types that need a pseudo-terminal can have one here.
func (a *app) checkTerminal(types map[string]*jobs.Type) error {
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if !types[name].TTY {
			continue
		}
		if err := runner.CheckTerminal(); err != nil {
			return fmt.Errorf("types.%s.tty: no pseudo-terminal can be had on this machine: %w", name, err)
		}
	}
	return nil
}
