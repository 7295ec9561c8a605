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

// allow checks what a request asks for beyond its arguments, and fills in the
// job's workdir.
func (t *Type) allow(r *Request, j *Job) *Fault {
	if r.Priority < MinPriority || r.Priority > MaxPriority {
		return r.place(&Fault{Message: fmt.Sprintf("priority must be from %d to %d, not %d", MinPriority, MaxPriority, r.Priority)}, "priority")
	}
	if t.Timeout > 0 && r.Timeout > t.Timeout {
		return r.place(&Fault{
			Message: fmt.Sprintf("timeout %s is longer than type %q allows", r.Timeout, t.Name),
			Hint:    fmt.Sprintf("at most %s", t.Timeout),
		}, "timeout")
	}
	for _, name := range sortedKeys(r.Env) {
		if !slices.Contains(t.EnvAllow, name) {
			return r.place(&Fault{
				Message: fmt.Sprintf("env %s may not be set for type %q", shown(name), t.Name),
				Hint:    allowedEnv(t.EnvAllow),
			}, "env")
		}
	}
	if message := checkName("name", r.Name); message != "" {
		return r.place(&Fault{Message: message}, "name")
	}
	for _, key := range sortedKeys(r.Labels) {
		if message := checkName("label", key); message != "" {
			return r.place(&Fault{Message: message}, "labels")
		}
	}
	folder, err := t.Folder(r.Workdir)
	if err == nil && r.Workdir != "" {
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
