package jobs

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Fill replaces the placeholders, such as {lr}, in the words of a command by
// the job's parameters. A secret is never among them.
func (t *Type) Fill(words []string, j *Job) []string {
	var pairs []string
	for _, p := range t.Params {
		if text, ok := p.of(j); ok {
			pairs = append(pairs, p.placeholder(), text)
		}
	}
	if len(pairs) == 0 {
		return words
	}
	fill := strings.NewReplacer(pairs...)
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = fill.Replace(word)
	}
	return out
}

// Words gives what follows a command or a script on the command line of a job
// of this type: the parameters that have no place in the type's own words, as
// --name=value, then the job's arguments.
func (t *Type) Words(j *Job) []string {
	var words []string
	for _, p := range t.Params {
		if text, ok := p.of(j); ok && !t.places(p) {
			words = append(words, "--"+p.Name+"="+text)
		}
	}
	return append(words, j.Args...)
}

// places reports whether a word of the type's own holds the parameter.
func (t *Type) places(p Param) bool {
	for _, words := range [][]string{t.Command, t.Interpreter} {
		for _, word := range words {
			if strings.Contains(word, p.placeholder()) {
				return true
			}
		}
	}
	return false
}

func (p Param) placeholder() string { return "{" + p.Name + "}" }

// of gives the parameter's text on a job's command line; false if it has none
// there: it is secret, or it came up after the job was accepted and must be given.
func (p Param) of(j *Job) (string, bool) {
	if p.Kind == ParamSecret {
		return "", false
	}
	if text, ok := j.Params[p.Name]; ok || !p.HasDefault {
		return text, ok
	}
	if text, err := p.Check(p.Default); err == nil {
		return text, true
	}
	return p.Default, true
}

// CheckParams looks again at what may have changed since a job was accepted:
// the type may need a parameter that it has not, and a path may be gone or lead
// elsewhere now. The error is worded for people.
func (t *Type) CheckParams(j *Job) error {
	for _, p := range t.Params {
		text, ok := p.of(j)
		switch {
		case p.Kind == ParamSecret:
		case !ok:
			return fmt.Errorf("parameter %s is not given", p.Name)
		case p.Kind == ParamPath:
			if _, err := p.Check(text); err != nil {
				return fmt.Errorf("parameter %s %w", p.Name, err)
			}
		}
	}
	return t.checkOptions(j)
}

// checkOptions refuses a text that would be an option of the interpreter: it could
// name another script than the one that follows, or be one itself.
func (t *Type) checkOptions(j *Job) error {
	free := Type{Params: slices.DeleteFunc(slices.Clone(t.Params), func(p Param) bool { return p.Kind != ParamText })}
	for i, word := range free.Fill(t.Interpreter, j) {
		if strings.HasPrefix(word, "-") && !strings.HasPrefix(t.Interpreter[i], "-") {
			return fmt.Errorf("%s must not begin with -: it stands before the script", shown(word))
		}
	}
	return nil
}

// giveParams fills in a job's parameters: those of the request, checked, and
// the type's defaults. Secret ones go into its environment.
func (c *examiner) giveParams(t *Type, r *Request, j *Job) *Fault {
	if f := t.knowParams(r); f != nil {
		return f
	}
	for _, p := range t.Params {
		text, given := r.Params[p.Name]
		if !given && !p.HasDefault {
			f := &Fault{Message: fmt.Sprintf("type %q needs the parameter %s", t.Name, p.Name), Hint: "write params: {" + p.Name + ": …}, " + p.wants()}
			return r.place(f, "params")
		}
		if !given {
			text = p.Default
		}
		text, err := c.checkParam(t, p, text)
		if err != nil {
			return r.place(&Fault{Message: "params." + p.Name + " " + err.Error()}, "params."+p.Name, "params")
		}
		if p.Kind == ParamSecret {
			j.Env = with(j.Env, cmp.Or(p.Env, strings.ToUpper(p.Name)), text)
		} else {
			j.Params = with(j.Params, p.Name, text)
		}
	}
	if err := t.checkOptions(j); err != nil {
		return r.place(&Fault{Message: "params: " + err.Error()}, "params")
	}
	return nil
}

func (c *examiner) checkParam(t *Type, p Param, text string) (string, error) {
	if p.Kind != ParamPath {
		return p.Check(text)
	}
	return c.look(look{"param " + p.Name, t.Name, text}, func() (string, error) { return p.Check(text) })
}

// knowParams refuses parameters that the type does not have.
func (t *Type) knowParams(r *Request) *Fault {
	if len(r.Params) == 0 {
		return nil
	}
	known := make([]string, len(t.Params))
	for i, p := range t.Params {
		known[i] = p.Name
	}
	for _, name := range sortedKeys(r.Params) {
		if !slices.Contains(known, name) {
			f := &Fault{Message: fmt.Sprintf("type %q has no parameter %s", t.Name, shown(name)), Hint: meant(name, known, "parameters")}
			if len(known) == 0 {
				f.Hint = "it takes args alone"
			}
			return r.place(f, "params."+name, "params")
		}
	}
	return nil
}

// with gives a copy of m that has one entry more.
func with(m map[string]string, key, text string) map[string]string {
	if m = maps.Clone(m); m == nil {
		m = map[string]string{}
	}
	m[key] = text
	return m
}

var (
	intText   = regexp.MustCompile(`^[+-]?(0|[1-9][0-9]*)$`)
	floatText = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
)

// Check gives the text that stands for a value on the command line: the value
// as it is written, or the absolute path of a file, links resolved. The error
// says what it must be, and does not name the parameter.
func (p Param) Check(text string) (string, error) {
	switch p.Kind {
	case ParamInt:
		return text, p.number(text, intText)
	case ParamFloat:
		return text, p.number(text, floatText)
	case ParamEnum:
		if !slices.Contains(p.Values, text) {
			return "", p.wrong(text)
		}
	case ParamPath:
		return p.file(text)
	case ParamSecret:
		if text == "" {
			return "", errors.New("is empty")
		}
	default:
		if p.Pattern != nil && !p.Pattern.MatchString(text) {
			return "", p.wrong(text)
		}
	}
	if strings.ContainsRune(text, 0) {
		return "", errors.New("holds a NUL character")
	}
	return text, nil
}

func (p Param) wrong(text string) error {
	return fmt.Errorf("must be %s, not %s", p.wants(), shown(text))
}

// wants says what a value must be.
func (p Param) wants() string {
	switch p.Kind {
	case ParamInt:
		return "a whole number" + p.bounds()
	case ParamFloat:
		return "a number" + p.bounds()
	case ParamEnum:
		return "one of " + strings.Join(p.Values, ", ")
	case ParamPath:
		return "a path below " + p.Below
	case ParamSecret:
		return "a text that is kept secret"
	}
	if p.Pattern != nil {
		return "a text that matches " + unanchored(p.Pattern.String())
	}
	return "any text"
}

func (p Param) bounds() string {
	show := func(f *float64) string { return strconv.FormatFloat(*f, 'g', -1, 64) }
	switch {
	case p.Min != nil && p.Max != nil:
		return " from " + show(p.Min) + " to " + show(p.Max)
	case p.Min != nil:
		return " of at least " + show(p.Min)
	case p.Max != nil:
		return " of at most " + show(p.Max)
	}
	return ""
}

func (p Param) number(text string, form *regexp.Regexp) error {
	n, err := strconv.ParseFloat(text, 64)
	if p.Kind == ParamInt && err == nil {
		_, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil || !form.MatchString(text) || p.Min != nil && n < *p.Min || p.Max != nil && n > *p.Max {
		return p.wrong(text)
	}
	return nil
}

// file resolves a path that is relative to Below, or absolute, and must lie
// below it.
func (p Param) file(text string) (string, error) {
	path := filepath.FromSlash(text)
	switch {
	case filepath.IsLocal(path):
		path = filepath.Join(p.Below, path)
	case !filepath.IsAbs(path):
		return "", p.wrong(text)
	}
	root, err := filepath.EvalSymlinks(p.Below)
	if err != nil {
		return "", fmt.Errorf("must lie below a folder that cannot be opened: %w", err)
	}
	real, err := filepath.EvalSymlinks(path)
	switch {
	case !below(p.Below, filepath.Clean(path)) && !below(root, filepath.Clean(path)):
		return "", p.wrong(text)
	case notThere(err):
		return "", fmt.Errorf("names nothing that is there: %s, below %s", shown(text), p.Below)
	case err != nil:
		return "", fmt.Errorf("cannot be looked at: %w", err)
	case !below(root, real):
		return "", fmt.Errorf("is a link that leads out of %s: %s", p.Below, shown(text))
	}
	return real, nil
}
