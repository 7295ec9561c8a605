package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// statistics is what the API answers with for the counts.
type statistics struct {
	jobs.Stats
	Running       int                  `json:"running"`
	MaxConcurrent int                  `json:"max_concurrent"`
	Runs          map[string]jobs.Runs `json:"runs"` // by type
}

func newStats(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Print how many jobs there are of each state and type, and how long they take",
		Long: `stats prints how many jobs there are of each state and type, and for each type
from its latest ended jobs, at most 100: how many came out COMPLETED, and how
long they ran and waited. Half of them took at most p50, 95 of 100 at most p95.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			st, err := c.statistics(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.stdout, st)
			}
			c.stats(st)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the figures as JSON")
	return cmd
}

func (c *client) statistics(ctx context.Context) (st *statistics, err error) {
	st = &statistics{MaxConcurrent: c.cfg.Catalog.MaxConcurrent, Runs: map[string]jobs.Runs{}}
	st.States, st.Types = map[jobs.State]int{}, map[string]map[jobs.State]int{}
	for _, s := range jobs.States {
		st.States[s] = 0
	}
	if c.queue != nil {
		if st.Stats, err = c.queue.Stats(ctx); err != nil {
			return nil, err
		}
		if st.Runs, err = c.queue.Runs(ctx); err != nil {
			return nil, err
		}
	}
	st.Running = st.States[jobs.Running]
	return st, nil
}

func (c *client) stats(st *statistics) {
	s := newScreen(c.stdout)
	fmt.Fprintf(s, "%d of %d running\n\n", st.Running, st.MaxConcurrent)
	countTable(s, st).print(s)
	if len(st.Runs) == 0 {
		return
	}
	fmt.Fprintln(s)
	runsTable(st).print(s)
}

// countTable shows how many jobs there are of each state and type.
func countTable(s *screen, st *statistics) *table {
	names := slices.Sorted(maps.Keys(st.Types))
	t := &table{head: append([]string{"STATE", "ALL"}, names...), flexible: map[int]int{}}
	for i, name := range names {
		t.head[i+2] = jobs.Sanitize(name)
		t.flexible[i+2] = 4
	}
	for _, state := range jobs.States {
		row := []cell{s.state(state), {text: fmt.Sprint(st.States[state])}}
		for _, name := range names {
			row = append(row, cell{text: fmt.Sprint(st.Types[name][state])})
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// runsTable shows how the latest jobs of each type came out.
func runsTable(st *statistics) *table {
	t := &table{
		head:     []string{"TYPE", "RUNS", "COMPLETED", "RUN P50", "RUN P95", "WAIT P50", "WAIT P95"},
		flexible: map[int]int{0: 8},
	}
	for _, name := range slices.Sorted(maps.Keys(st.Runs)) {
		r := st.Runs[name]
		t.rows = append(t.rows, []cell{
			{text: jobs.Sanitize(name)}, {text: fmt.Sprint(r.Runs)}, {text: fmt.Sprintf("%.0f %%", math.Floor(100*r.Completed))},
			{text: seconds(r.RunP50)}, {text: seconds(r.RunP95)}, {text: seconds(r.WaitP50)}, {text: seconds(r.WaitP95)},
		})
	}
	return t
}

func seconds(n float64) string { return span(time.Duration(n * float64(time.Second))) }
