package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// statistics is what the API answers with for the counts.
type statistics struct {
	jobs.Stats
	Running       int `json:"running"`
	MaxConcurrent int `json:"max_concurrent"`
}

func newStats(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Print how many jobs there are of each state and type",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			st := statistics{MaxConcurrent: c.cfg.Catalog.MaxConcurrent}
			st.States, st.Types = map[jobs.State]int{}, map[string]map[jobs.State]int{}
			for _, s := range jobs.States {
				st.States[s] = 0
			}
			if c.queue != nil {
				if st.Stats, err = c.queue.Stats(cmd.Context()); err != nil {
					return err
				}
			}
			st.Running = st.States[jobs.Running]
			if asJSON {
				return printJSON(a.stdout, st)
			}
			c.stats(&st)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the counts as JSON")
	return cmd
}

func (c *client) stats(st *statistics) {
	s := newScreen(c.stdout)
	fmt.Fprintf(s, "%d of %d running\n\n", st.Running, st.MaxConcurrent)
	names := slices.Sorted(maps.Keys(st.Types))
	t := &table{head: append([]string{"STATE", "ALL"}, names...), flexible: map[int]int{}}
	for i, name := range names {
		t.head[i+2] = jobs.Sanitize(name)
		t.flexible[i+2] = 4
	}
	for _, state := range jobs.States {
		look, word := looks[state], string(state)
		if s.terminal() {
			word = look.glyph + " " + word
		}
		row := []cell{{word, look.colour}, {fmt.Sprint(st.States[state]), ""}}
		for _, name := range names {
			row = append(row, cell{fmt.Sprint(st.Types[name][state]), ""})
		}
		t.rows = append(t.rows, row)
	}
	for _, line := range t.lines(s) {
		fmt.Fprintln(s, line)
	}
}
