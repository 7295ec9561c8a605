package jobs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Resolve holds a request against the types and makes its job: PENDING, first
// attempt, without a source and, if the request bears none, without an id.
// Whatever the type does not allow is a Fault at the request's position. What a
// request waits for and its foreach are left to Entries.
//
// A line that bears the state of an ended job, or RUNNING, is history: its job
// has that state (LOST for RUNNING) and is refused nothing, for it never runs;
// its type is "" if the line names none that is known.
func (c *Catalog) Resolve(r *Request) (*Job, *Fault) {
	j, _, f := c.examiner().resolve(r)
	return j, f
}

// examiner holds requests of one moment against the types. It looks at each
// path once, however many jobs of a sweep name it.
type examiner struct {
	*Catalog
	now     time.Time
	found   map[look]looked
	scripts map[string]scriptRead // by path
}

// look is a question to the file system.
type look struct{ what, of, name string }

type looked struct {
	path string
	err  error
}

// look asks where a path leads, once.
func (c *examiner) look(l look, ask func() (string, error)) (string, error) {
	found, known := c.found[l]
	if !known {
		found.path, found.err = ask()
		c.found[l] = found
	}
	return found.path, found.err
}

type scriptRead struct {
	header *Request // what it says of itself; nil if nothing
	hash   string   // "" if it is too large to be looked at for changes
	fault  *Fault
}

func (c *Catalog) examiner() *examiner {
	return &examiner{Catalog: c, now: time.Now(), found: map[look]looked{}, scripts: map[string]scriptRead{}}
}

// resolve also gives the request as it counts: with what its script says.
func (c *examiner) resolve(r *Request) (*Job, *Request, *Fault) {
	if !r.isNew() {
		return c.history(r), r, nil
	}
	ch, f := c.choose(r)
	if f != nil {
		return nil, nil, f
	}
	var hash string
	if ch.path != "" {
		read, f := c.read(r, ch)
		if f != nil {
			return nil, nil, f
		}
		r, hash = r.over(read.header), read.hash
	}
	j := newJob(r)
	j.Type, j.Target, j.Args, j.ScriptHash = ch.t.Name, ch.target, ch.args, hash
	if !r.HasPriority {
		j.Priority = ch.t.Priority
	}
	if f := ch.t.Args.check(ch.t.Name, ch.args); f != nil {
		return nil, nil, r.place(f, "args")
	}
	if f := c.allow(ch.t, r, j); f != nil {
		return nil, nil, f
	}
	j.wait(r, c.now)
	return j, r, nil
}

// isNew reports whether a request asks for a job that is to run.
func (r *Request) isNew() bool { return r.State == "" || r.State == Pending }

// read reads what is to be known of a script when its job is accepted.
func (c *examiner) read(r *Request, ch choice) (scriptRead, *Fault) {
	s, known := c.scripts[ch.path]
	if !known {
		if s.header, s.fault = readHeader(ch.path, ch.target); s.fault == nil {
			var err error
			if s.hash, err = HashScript(ch.path); err != nil && !errors.Is(err, ErrLargeScript) {
				s.fault = unreadable(ch.target, err)
			}
		}
		c.scripts[ch.path] = s
	}
	if s.fault == nil && s.hash == "" && (ch.t.OnChange == OnChangeCopy || ch.t.OnChange == OnChangeReject) {
		s.fault = &Fault{
			Message: fmt.Sprintf("script %s cannot be guarded against changes (on_change: %s): %v", shown(ch.target), ch.t.OnChange, ErrLargeScript),
			Hint:    "keep its data in a file beside it",
		}
	}
	if s.fault == nil {
		return s, nil
	}
	f := *s.fault
	if f.File == "" { // nothing in the script is wrong
		r.place(&f, "script", "args")
	}
	return s, &f
}

// unreadable is the Fault, without a position, of a script that is there.
func unreadable(name string, err error) *Fault {
	return &Fault{Message: fmt.Sprintf("script %s cannot be read: %v", shown(name), plainError(err))}
}

// script is Type.Script, asked once.
func (c *examiner) script(t *Type, name string) (string, error) {
	return c.look(look{"script", t.Name, name}, func() (string, error) { return t.Script(name, c.Dir) })
}

// wait fills in when the job may start.
func (j *Job) wait(r *Request, now time.Time) {
	j.NotBefore = r.NotBefore
	if r.Delay > 0 {
		j.NotBefore = now.Add(r.Delay)
	}
	j.NotBefore = fromMillis(toMillis(j.NotBefore))
	if j.NotBefore.After(now) {
		j.Due = j.NotBefore
	}
}

func newJob(r *Request) *Job {
	j := &Job{
		ID: r.ID, Name: r.Name, Priority: r.Priority, Timeout: r.Timeout,
		Env: r.Env, Labels: r.Labels, Hold: r.Hold, UniqueKey: r.UniqueKey, State: Pending, Attempt: 1,
	}
	if r.Spelling != r.ID {
		j.Spelling = r.Spelling
	}
	return j
}

func (c *examiner) history(r *Request) *Job {
	j := newJob(r)
	j.State, j.Target, j.Args = r.State, r.Target, r.Args
	if r.State == Running {
		j.State, j.Reason = Lost, "was RUNNING when jobrunner first saw it"
	}
	if r.State == Rejected && r.Target == "-" {
		j.Target = "" // a rejected request without a first word
	} else if ch, f := c.choose(r); f == nil {
		j.Type, j.Target, j.Args = ch.t.Name, ch.target, ch.args
	}
	return j
}

// place gives f the position of the value of the first key that the request
// has, or of the whole request.
func (r *Request) place(f *Fault, keys ...string) *Fault {
	at := r.At
	for _, key := range keys {
		if mark, ok := r.marks[key]; ok {
			at = mark
			break
		}
	}
	f.File, f.Line, f.Column = at.File, at.Line, at.Column
	return f
}

// choice is what a request turned out to ask for.
type choice struct {
	t      *Type
	target string
	args   []string // without the script
	path   string   // of the script, links resolved; "" if there is none
}

// choose finds the type: an exact name first, else the script.
func (c *examiner) choose(r *Request) (choice, *Fault) {
	switch {
	case r.Type != "":
		return c.byType(r)
	case r.Script != "":
		return c.byScript(r, "script", r.Script, r.Args)
	}
	return c.byTarget(r)
}

// byType finds what a document's key type asks for.
func (c *examiner) byType(r *Request) (choice, *Fault) {
	t := c.Types[r.Type]
	if t == nil {
		f := c.unknownType(r.Type)
		if len(c.fitting(r.Type)) > 0 {
			f.Hint = "it is a script: write script: instead of type:"
		}
		return choice{}, r.place(f, "type")
	}
	if r.Script == "" {
		return c.ofType(r, t, r.Args)
	}
	if t.Scripts == "" {
		f := &Fault{Message: fmt.Sprintf("type %q runs a fixed command and takes no script", t.Name), Hint: "leave script: out"}
		return choice{}, r.place(f, "script")
	}
	return c.ofScript(r, "script", choice{t: t, target: r.Script, args: r.Args})
}

// byTarget finds what a line asks for. A line that was one word in quotes is
// split again if the whole word is no type and no script.
func (c *examiner) byTarget(r *Request) (choice, *Fault) {
	if t := c.Types[r.Target]; t != nil {
		return c.ofType(r, t, r.Args)
	}
	if r.oneWord && len(c.fitting(r.Target)) == 0 {
		words, err := Words(r.Target)
		var f *Fault
		if errors.As(err, &f) {
			return choice{}, r.place(f, "")
		}
		if len(words) > 0 {
			return c.byTarget(&Request{At: r.At, Target: words[0].Text, Args: texts(words[1:])})
		}
	}
	return c.byScript(r, "", r.Target, r.Args)
}

// ofType takes the script of an interpreter's type from the arguments.
func (c *examiner) ofType(r *Request, t *Type, args []string) (choice, *Fault) {
	switch {
	case t.Scripts == "":
		return choice{t: t, target: t.Name, args: args}, nil
	case len(args) == 0:
		f := &Fault{Message: fmt.Sprintf("type %q needs a script", t.Name), Hint: "give one of " + relative(c.Dir, t.Scripts)}
		return choice{}, r.place(f, "type")
	}
	return c.ofScript(r, "args", choice{t: t, target: args[0], args: args[1:]})
}

// ofScript checks the script of a type that is named.
func (c *examiner) ofScript(r *Request, key string, ch choice) (choice, *Fault) {
	path, err := c.script(ch.t, ch.target)
	if err == nil {
		ch.path = path
		return ch, nil
	}
	f := &Fault{Message: err.Error(), Hint: c.nearScript(ch.target, ch.t)}
	if errors.Is(err, errNotOurs) {
		f.Message = fmt.Sprintf("%s is no script of type %q", shown(ch.target), ch.t.Name)
		f.Hint = "its scripts end in " + strings.Join(ch.t.Extensions, ", ")
	}
	return choice{}, r.place(f, key)
}

// byScript finds the one type that runs a script.
func (c *examiner) byScript(r *Request, key, script string, args []string) (choice, *Fault) {
	switch types := c.fitting(script); len(types) {
	case 0:
		return choice{}, r.place(c.noScript(script), key)
	case 1:
		path, _ := c.script(types[0], script)
		return choice{types[0], script, args, path}, nil
	default:
		f := &Fault{
			Message: fmt.Sprintf("script %s fits two types, %q and %q", shown(script), types[0].Name, types[1].Name),
			Hint:    "name the type too",
		}
		return choice{}, r.place(f, key)
	}
}

// fitting gives the types that run the script, by name.
func (c *examiner) fitting(script string) []*Type {
	var types []*Type
	for _, name := range sortedKeys(c.Types) {
		if _, err := c.script(c.Types[name], script); err == nil {
			types = append(types, c.Types[name])
		}
	}
	return types
}

// noScript says why a word is neither a type nor a script of any.
func (c *examiner) noScript(word string) *Fault {
	for _, name := range sortedKeys(c.Types) {
		t := c.Types[name]
		_, err := c.script(t, word)
		// Where any file name can be a script, a bare word is rather a type.
		bare := len(t.Extensions) == 0 && errors.Is(err, errNotThere) && !strings.ContainsAny(word, `./\`)
		if errors.Is(err, errNotOurs) || bare {
			continue
		}
		return &Fault{Message: err.Error(), Hint: c.nearScript(word, t)}
	}
	if c.Types[word] != nil {
		return &Fault{Message: fmt.Sprintf("%s is a type and no script", shown(word)), Hint: "write type: instead of script:"}
	}
	return c.unknownType(word)
}

func (c *Catalog) unknownType(word string) *Fault {
	f := &Fault{Message: "unknown type " + shown(word)}
	if !c.terse {
		f.Hint = meant(word, sortedKeys(c.Types), "types")
	}
	return f
}

// nearScript is the hint for a script that is not there; "" if none is near.
func (c *Catalog) nearScript(word string, t *Type) string {
	if c.terse {
		return ""
	}
	folder, err := os.Open(t.Scripts)
	if err != nil {
		return ""
	}
	defer folder.Close()
	const enough = 1000 // names to look at; a hint is not worth more
	names, _ := folder.Readdirnames(enough)
	sort.Strings(names)
	var known []string
	if !strings.ContainsAny(word, `/\`) {
		known = sortedKeys(c.Types)
	}
	for _, name := range names {
		if t.bears(name) {
			known = append(known, name)
		}
	}
	near := Match(filepath.Base(filepath.FromSlash(word)), known)
	if near == "" || near == word {
		return ""
	}
	return "did you mean " + shown(near) + "?"
}
