package jobs

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// check holds arguments against the rules of the type of that name.
func (a ArgRules) check(name string, args []string) *Fault {
	if n := len(args); n < a.Min || a.Max >= 0 && n > a.Max {
		return &Fault{Message: fmt.Sprintf("type %q takes %s, not %d", name, a.count(), n)}
	}
	for i, arg := range args {
		if a.Pattern != nil && !a.Pattern.MatchString(arg) {
			return &Fault{Message: fmt.Sprintf("argument %d of type %q must match %s, not be %s", i+1, name, unanchored(a.Pattern.String()), shown(arg))}
		}
	}
	return nil
}

// count words how many arguments there may be.
func (a ArgRules) count() string {
	plural := func(n int) string {
		if n == 1 {
			return "1 argument"
		}
		return fmt.Sprintf("%d arguments", n)
	}
	switch {
	case a.Max < 0:
		return "at least " + plural(a.Min)
	case a.Min == a.Max && a.Max == 0:
		return "no arguments"
	case a.Min == a.Max:
		return plural(a.Min)
	case a.Min == 0:
		return "at most " + plural(a.Max)
	}
	return fmt.Sprintf("%d to %s", a.Min, plural(a.Max))
}

// unanchored gives a pattern as it stands in the configuration.
func unanchored(pattern string) string {
	for _, anchors := range [][2]string{{`^(?:`, `)$`}, {`\A(?:`, `)\z`}} {
		if inner, ok := strings.CutPrefix(pattern, anchors[0]); ok {
			if inner, ok = strings.CutSuffix(inner, anchors[1]); ok {
				return inner
			}
		}
	}
	return pattern
}

// allow checks what a request asks for beyond its arguments, and fills in what
// of the job depends on the type.
func (c *examiner) allow(t *Type, r *Request, j *Job) *Fault {
	for _, check := range []func(*Type, *Request, *Job) *Fault{
		(*Type).allowBounds, (*Type).allowRetries, (*Type).allowEnv, (*Type).allowWords, c.allowFolder, c.giveParams,
	} {
		if f := check(t, r, j); f != nil {
			return f
		}
	}
	return nil
}

func (t *Type) allowBounds(r *Request, _ *Job) *Fault {
	if r.Priority < MinPriority || r.Priority > MaxPriority {
		return r.place(&Fault{Message: fmt.Sprintf("priority must be from %d to %d, not %d", MinPriority, MaxPriority, r.Priority)}, "priority")
	}
	if t.Timeout > 0 && r.Timeout > t.Timeout {
		return r.place(&Fault{
			Message: fmt.Sprintf("timeout %s is longer than type %q allows", r.Timeout, t.Name),
			Hint:    fmt.Sprintf("at most %s", t.Timeout),
		}, "timeout")
	}
	return nil
}

func (t *Type) allowRetries(r *Request, j *Job) *Fault {
	j.Retries = t.MaxRetries
	if !r.HasRetries {
		return nil
	}
	if j.Retries = r.Retries; r.Retries >= 0 && r.Retries <= t.MaxRetries {
		return nil
	}
	hint := fmt.Sprintf("at most %d, its max_retries", t.MaxRetries)
	if t.MaxRetries == 0 {
		hint = "it allows none: max_retries is not set"
	}
	return r.place(&Fault{Message: fmt.Sprintf("retries %d is more than type %q allows", r.Retries, t.Name), Hint: hint}, "retries")
}

func (t *Type) allowEnv(r *Request, _ *Job) *Fault {
	for _, name := range sortedKeys(r.Env) {
		if !slices.Contains(t.EnvAllow, name) {
			return r.place(&Fault{
				Message: fmt.Sprintf("env %s may not be set for type %q", shown(name), t.Name),
				Hint:    allowedEnv(t.EnvAllow),
			}, "env."+name, "env")
		}
	}
	return nil
}

// allowWords checks words for people, which no type restricts.
func (*Type) allowWords(r *Request, _ *Job) *Fault {
	if message := checkName("name", r.Name); message != "" {
		return r.place(&Fault{Message: message}, "name")
	}
	for _, key := range sortedKeys(r.Labels) {
		if message := checkName("label", key); message != "" {
			return r.place(&Fault{Message: message}, "labels")
		}
	}
	if message := checkName("unique_key", r.UniqueKey); message != "" {
		return r.place(&Fault{Message: message}, "unique_key")
	}
	if r.UniqueKey == "" && r.has("unique_key") {
		return r.place(&Fault{Message: "unique_key is empty"}, "unique_key")
	}
	if r.UniqueKey == "" && r.OnDuplicate != "" {
		return r.place(&Fault{Message: "on_duplicate says nothing without unique_key", Hint: "add unique_key, or leave it out"}, "on_duplicate")
	}
	return nil
}

func (c *examiner) allowFolder(t *Type, r *Request, j *Job) *Fault {
	if r.Workdir == "" {
		return nil
	}
	folder, err := c.look(look{"folder", t.Name, r.Workdir}, func() (string, error) { return t.Folder(r.Workdir) })
	if err == nil {
		j.Workdir, err = filepath.Rel(t.Workdir, folder)
	}
	if err != nil {
		return r.place(&Fault{Message: err.Error()}, "workdir")
	}
	if j.Workdir == "." {
		j.Workdir = ""
	}
	return nil
}

func allowedEnv(names []string) string {
	if len(names) == 0 {
		return "it allows none: env_allow lists those that a request may set"
	}
	return "it allows " + strings.Join(names, ", ")
}
