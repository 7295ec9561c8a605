package jobs

import "fmt"

// Freeze keeps the scripts of new jobs whose types run them as they were when
// they were accepted. It must have worked before the entries are accepted. A
// script that is changed at this moment is kept as it is now, and its jobs get
// the hash of that.
func (c *Catalog) Freeze(stateDir string, entries []Entry) error {
	type asked struct{ typ, target, hash string }
	kept := map[asked]string{} // the jobs of a sweep ask for the same
	for _, e := range entries {
		if e.Job == nil || e.Job.State != Pending {
			continue
		}
		t := c.Types[e.Job.Type]
		if t == nil || t.OnChange != OnChangeCopy {
			continue
		}
		a := asked{t.Name, e.Job.Target, e.Job.ScriptHash}
		if kept[a] == "" {
			path, err := t.Script(e.Job.Target, c.Dir)
			if err == nil {
				kept[a], err = FreezeScript(stateDir, path, e.Job.ScriptHash)
			}
			if err != nil {
				return fmt.Errorf("keeping a copy of script %s: %w", shown(e.Job.Target), err)
			}
		}
		e.Job.ScriptHash = kept[a]
	}
	return nil
}
