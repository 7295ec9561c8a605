package jobs

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// maxName is how many characters a name or a label's key may have.
const maxName = 200

// requestKeys reads each key that a request may have.
var requestKeys = map[string]func(*Request, value) *Fault{
	"type":     func(r *Request, v value) (f *Fault) { r.Type, f = v.word(); return f },
	"script":   func(r *Request, v value) (f *Fault) { r.Script, f = v.word(); return f },
	"args":     func(r *Request, v value) (f *Fault) { r.Args, f = v.list("argument", "write args: [25]"); return f },
	"params":   readParams,
	"id":       readID,
	"name":     readName,
	"priority": readPriority,
	"timeout":  readTimeout,
	"env":      readEnv,
	"workdir":  func(r *Request, v value) (f *Fault) { r.Workdir, f = v.word(); return f },
	"labels":   readLabels,

	"after":        func(r *Request, v value) (f *Fault) { r.After, f = v.refs(); return f },
	"after_any":    func(r *Request, v value) (f *Fault) { r.AfterAny, f = v.refs(); return f },
	"not_before":   readNotBefore,
	"delay":        readDelay,
	"retries":      readRetries,
	"hold":         func(r *Request, v value) (f *Fault) { r.Hold, f = v.truth(); return f },
	"foreach":      readForeach,
	"unique_key":   readUniqueKey,
	"on_duplicate": readOnDuplicate,
}

var requestKeyNames = sortedKeys(requestKeys)

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func readRequest(pairs []value, at Position) (*Request, *Fault) {
	r := &Request{At: at, marks: map[string]Position{}}
	for _, p := range pairs {
		read := requestKeys[p.name]
		if read == nil {
			return nil, unknownKey(p, requestKeyNames)
		}
		if f := read(r, p); f != nil {
			return nil, f
		}
		r.marks[p.name] = p.position()
	}
	if r.Type == "" && r.Script == "" {
		return nil, at.Fault("neither type nor script is given", "write type: with a type's name, or script:")
	}
	if at, ok := r.marks["delay"]; ok && r.has("not_before") {
		return nil, at.Fault("delay and not_before stand together", "write one of them")
	}
	if f := r.checkAxes(); f != nil {
		return nil, f
	}
	return r, nil
}

// has reports whether a document has the key, whatever its value.
func (r *Request) has(key string) bool {
	_, ok := r.marks[key]
	return ok
}

func unknownKey(p value, known []string) *Fault {
	return p.keyFault("unknown key "+shown(p.name), meant(p.name, known, "keys"))
}

// meant is the hint for an unknown word: the nearest known one, else a list.
func meant(word string, known []string, plural string) string {
	if near := Match(word, known); near != "" {
		return "did you mean " + shown(near) + "?"
	}
	if len(known) == 0 {
		return "no " + plural + " are configured"
	}
	const most = 20
	list := strings.Join(known[:min(most, len(known))], ", ")
	if len(known) > most {
		list += ", " + ellipsis
	}
	return "known " + plural + ": " + list
}

func readID(r *Request, v value) *Fault {
	id, f := v.scalar(leaveOut)
	if f != nil {
		return f
	}
	if !isID(id) {
		return v.wrong("a UUID", "leave the key out, and the job gets one")
	}
	r.Spelling, r.ID = id, strings.ToLower(id)
	return nil
}

func readName(r *Request, v value) *Fault {
	name, f := v.text()
	if f != nil {
		return f
	}
	if message := checkName("name", name); message != "" {
		return v.fault(message, "")
	}
	r.Name = name
	return nil
}

// checkName says what is wrong with a word for people; "" means nothing.
func checkName(what, name string) string {
	switch {
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Sprintf("%s is longer than %d characters", what, maxName)
	case Sanitize(name) != name:
		return fmt.Sprintf("%s %s holds a control character", what, shown(name))
	}
	return ""
}

func readPriority(r *Request, v value) *Fault {
	n, f := v.number(MinPriority, MaxPriority)
	r.Priority, r.HasPriority = n, true
	return f
}

func readRetries(r *Request, v value) *Fault {
	n, f := v.number(0, MaxRetries)
	r.Retries, r.HasRetries = n, true
	return f
}

func readTimeout(r *Request, v value) *Fault {
	d, f := v.duration()
	if f == nil && d <= 0 {
		f = v.wrong("more than 0", "leave the key out for the type's limit")
	}
	r.Timeout = d
	return f
}

func readDelay(r *Request, v value) *Fault {
	d, f := v.duration()
	if f == nil && d < 0 {
		f = v.wrong("0 or more", "")
	}
	r.Delay = d
	return f
}

func readNotBefore(r *Request, v value) (f *Fault) {
	r.NotBefore, f = v.moment()
	return f
}

func readUniqueKey(r *Request, v value) *Fault {
	key, f := v.word()
	if f != nil {
		return f
	}
	if message := checkName("unique_key", key); message != "" {
		return v.fault(message, "")
	}
	r.UniqueKey = key
	return nil
}

func readOnDuplicate(r *Request, v value) *Fault {
	word, f := v.scalar(leaveOut)
	if f != nil {
		return f
	}
	r.OnDuplicate = Duplicate(word)
	if r.OnDuplicate != DuplicateKeep && r.OnDuplicate != DuplicateReplace {
		return v.wrong("keep or replace", "")
	}
	return nil
}

func readParams(r *Request, v value) *Fault {
	params, f := v.table()
	if f != nil {
		return f
	}
	r.Params = params
	r.markEntries(v)
	return nil
}

// markEntries notes where each value of a mapping stands.
func (r *Request) markEntries(v value) {
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		p := value{node: v.node.Content[i+1], file: v.file}
		r.marks[v.name+"."+v.node.Content[i].Value] = p.position()
	}
}

func readEnv(r *Request, v value) *Fault {
	env, f := v.table()
	if f != nil {
		return f
	}
	for _, name := range sortedKeys(env) {
		if strings.ContainsAny(name, "=") {
			return v.fault("env: "+shown(name)+" cannot be the name of a variable", "")
		}
	}
	r.Env = env
	r.markEntries(v)
	return nil
}

func readLabels(r *Request, v value) *Fault {
	labels, f := v.table()
	if f != nil {
		return f
	}
	for _, key := range sortedKeys(labels) {
		if message := checkName("label", key); message != "" {
			return v.fault(message, "")
		}
	}
	r.Labels = labels
	return nil
}
