package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
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

// byID makes a verb complete ids.
func (a *app) byID(cmd *cobra.Command) *cobra.Command {
	cmd.ValidArgsFunction = a.completeIDs
	return cmd
}
