package main

import "github.com/spf13/cobra"

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
