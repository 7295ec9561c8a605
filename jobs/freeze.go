package jobs

import "fmt"

// Freeze keeps the scripts of new jobs whose types run them as they were when
// they were accepted. It must have worked before the entries are accepted.
func (c *Catalog) Freeze(stateDir string, entries []Entry) error {
	for _, e := range entries {
		if e.Job == nil || e.Job.State != Pending {
			continue
		}
		t := c.Types[e.Job.Type]
		if t == nil || t.OnChange != OnChangeCopy {
			continue
		}
		path, err := t.Script(e.Job.Target, c.Dir)
		if err == nil {
			err = FreezeScript(stateDir, path, e.Job.ScriptHash)
		}
		if err != nil {
			return fmt.Errorf("keeping a copy of script %s: %w", shown(e.Job.Target), err)
		}
	}
	return nil
}
