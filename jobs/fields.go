package jobs

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxName is how many characters a name or a label's key may have.
const maxName = 200

// requestKeys reads each key that a request may have.
var requestKeys = map[string]func(*Request, value) *Fault{
	"type":     func(r *Request, v value) (f *Fault) { r.Type, f = v.word(); return f },
	"script":   func(r *Request, v value) (f *Fault) { r.Script, f = v.word(); return f },
	"args":     func(r *Request, v value) (f *Fault) { r.Args, f = v.list("argument", "write args: [25]"); return f },
	"id":       readID,
	"name":     readName,
	"priority": readPriority,
	"timeout":  readTimeout,
	"env":      readEnv,
	"workdir":  func(r *Request, v value) (f *Fault) { r.Workdir, f = v.word(); return f },
	"labels":   readLabels,
}

var (
	requestKeyNames = sortedKeys(requestKeys)
	commandKeyNames = []string{"action", "ids"}
)

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
	return r, nil
}

func readCommand(pairs []value, at Position) (*Command, *Fault) {
	var action Action
	var ids []string
	for _, p := range pairs {
		switch p.name {
		case "action":
			word, f := p.word()
			if f != nil {
				return nil, f
			}
			if action = Action(word); !isAction(action) {
				return nil, p.fault("unknown action "+shown(word), meant(word, actionNames(), "actions"))
			}
		case "ids":
			var f *Fault
			if ids, f = p.list("id", "write ids: [<id>]"); f != nil {
				return nil, f
			}
			at = p.position()
		default:
			return nil, unknownKey(p, commandKeyNames)
		}
	}
	return newCommand(action, ids, at)
}

func actionNames() []string {
	names := make([]string, len(Actions))
	for i, a := range Actions {
		names[i] = string(a)
	}
	return names
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
	const most = 12
	list := strings.Join(known[:min(most, len(known))], ", ")
	if len(known) > most {
		list += ", " + ellipsis
	}
	return "known " + plural + ": " + list
}

func readID(r *Request, v value) *Fault {
	id, f := v.text()
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
	want := fmt.Sprintf("a whole number from %d to %d", MinPriority, MaxPriority)
	text, f := v.text()
	if f != nil {
		return f
	}
	n, err := strconv.Atoi(text)
	if err != nil || v.isString() || strconv.Itoa(n) != strings.TrimPrefix(text, "+") || n < MinPriority || n > MaxPriority {
		return v.wrong(want, "")
	}
	r.Priority, r.HasPriority = n, true
	return nil
}

func readTimeout(r *Request, v value) *Fault {
	text, f := v.text()
	if f != nil {
		return f
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return v.wrong("a duration", "write it as 90s, 10m or 2h")
	}
	if d <= 0 {
		return v.wrong("more than 0", "leave the key out for the type's limit")
	}
	r.Timeout = d
	return nil
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
