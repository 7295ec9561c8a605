package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// needShell makes completion, which cobra adds, a verb that needs one of its
// shells: without one cobra would print its help and succeed.
func needShell(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	cmd, _, err := root.Find([]string{"completion"})
	if err != nil {
		panic(err) // the line above adds it
	}
	cmd.Use = "completion SHELL"
	var shells []string
	for _, c := range cmd.Commands() {
		c.Args = noArgs
		shells = append(shells, c.Name())
	}
	refuse := func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return misused(cmd, cmd.CommandPath()+" needs a SHELL: "+strings.Join(shells, ", "))
		}
		return misused(cmd, fmt.Sprintf("unknown shell %s; known shells: %s", strconv.Quote(args[0]), strings.Join(shells, ", ")))
	}
	cmd.Args, cmd.RunE = refuse, refuse
}

// completeIDs offers the newest jobs to a shell that completes an id. Without
// a database, or with a bad configuration, there is nothing to offer.
func (a *app) completeIDs(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const nothingElse = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	c, err := a.open()
	if err != nil {
		return nil, nothingElse
	}
	defer c.Close()
	query := ""
	if begun != "" {
		query = "id:" + begun
	}
	found, err := c.jobs(cmd.Context(), &listFlags{search: query, limit: 30})
	if err != nil {
		return nil, nothingElse
	}
	var offered []cobra.Completion
	for _, j := range found {
		id := short(j.ID)
		if len(begun) > len(id) {
			id = j.ID
		}
		offered = append(offered, cobra.CompletionWithDesc(id, string(j.State)+" "+what(j)))
	}
	return offered, nothingElse
}

// completeTypes offers the names of the types to a verb that takes one.
func (a *app) completeTypes(_ *cobra.Command, before []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(before) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.types(), cobra.ShellCompDirectiveNoFileComp
}

// completeTarget offers types, and files where no type fits; what follows is
// the job's own.
func (a *app) completeTarget(_ *cobra.Command, before []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(before) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return a.types(), cobra.ShellCompDirectiveDefault
}

func (a *app) types() []cobra.Completion {
	cfg, err := a.load()
	if err != nil {
		return nil
	}
	var offered []cobra.Completion
	for _, name := range slices.Sorted(maps.Keys(cfg.Catalog.Types)) {
		if words := cfg.Catalog.Types[name].Description; words != "" {
			name = cobra.CompletionWithDesc(name, jobs.Sanitize(words))
		}
		offered = append(offered, name)
	}
	return offered
}
