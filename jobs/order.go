package jobs

import (
	"slices"
	"strings"
)

// commandKeyNames are the keys of a document that is a command.
var commandKeyNames = []string{"action", "ids", "type"}

// readCommand reads a document that has the key action.
func readCommand(pairs []value, at Position) (*Command, *Fault) {
	var action Action
	found := map[string]value{}
	known := commandKeyNames
	if slices.ContainsFunc(pairs, isPrune) {
		known = pruneKeyNames
	}
	for _, p := range pairs {
		if !slices.Contains(known, p.name) {
			return nil, unknownKey(p, known)
		}
		found[p.name] = p
		if p.name != "action" {
			continue
		}
		word, f := p.word()
		if f != nil {
			return nil, f
		}
		if action = Action(word); !isAction(action) && action != Prune {
			return nil, p.fault("unknown action "+shown(word), meant(word, append(actionNames(), string(Prune)), "actions"))
		}
	}
	if action == Prune {
		return readPrune(pairs, at)
	}
	var words []string
	for _, key := range []string{"ids", "type"} {
		p, ok := found[key]
		if !ok {
			continue
		}
		if action.takes() != key {
			return nil, p.keyFault(string(action)+" takes no "+key, action.usage())
		}
		var f *Fault
		if words, f = p.commandWords(); f != nil {
			return nil, f
		}
		at = p.position()
	}
	return newCommand(action, words, at)
}

// commandWords gives the ids, or the one type, of a command's key.
func (v value) commandWords() ([]string, *Fault) {
	if v.name == "ids" {
		return v.list("id", "write ids: [<id>]")
	}
	word, f := v.word()
	return []string{word}, f
}

func actionNames() []string {
	names := make([]string, len(Actions))
	for i, a := range Actions {
		names[i] = string(a)
	}
	return names
}

func isAction(a Action) bool { return slices.Contains(Actions, a) }

// takes gives the key of a document that holds what the action is done to; ""
// if it takes nothing.
func (a Action) takes() string {
	switch a {
	case Drain:
		return ""
	case Pause, Resume:
		return "type"
	}
	return "ids"
}

// usage is a hint for a document.
func (a Action) usage() string {
	switch a.takes() {
	case "ids":
		return "write ids: [<id>]"
	case "type":
		return "write type: with a type's name, or nothing for all types"
	}
	return "write {action: " + string(a) + "} alone"
}

// newCommand checks what an action is to be done to: what follows it on a
// line, or stands in a document. The fault bears the position that is given.
func newCommand(action Action, words []string, at Position) (*Command, *Fault) {
	c := &Command{At: at, Action: action}
	name := c.nameJobs
	switch action.takes() {
	case "":
		name = c.nameNothing
	case "type":
		name = c.nameType
	}
	if f := name(words); f != nil {
		return nil, f
	}
	return c, nil
}

func (c *Command) nameNothing(words []string) *Fault {
	if len(words) == 0 {
		return nil
	}
	return c.At.Fault(string(c.Action)+" stands alone, not before "+shown(words[0]), "")
}

// nameType takes the one type of a pause or resume.
func (c *Command) nameType(words []string) *Fault {
	switch {
	case len(words) > 1:
		return c.At.Fault(string(c.Action)+" takes one type, and not "+shown(words[1])+" too", "write one command for each")
	case len(words) == 0:
		return nil
	case !isTypeName(words[0]):
		return c.At.Fault(shown(words[0])+" cannot be the name of a type", "")
	}
	c.Type = words[0]
	return nil
}

// nameJobs takes the ids of any other command, each once.
func (c *Command) nameJobs(ids []string) *Fault {
	if len(ids) == 0 {
		return c.At.Fault(string(c.Action)+" names no job", "write the job's id behind it")
	}
	seen := map[string]bool{}
	for _, id := range ids {
		if len(id) < minPrefix || !isIDPrefix(id) {
			return c.At.Fault(shown(id)+" is not a job's id", "give the id, or at least its first 8 letters")
		}
		if id = strings.ToLower(id); !seen[id] {
			seen[id] = true
			c.IDs = append(c.IDs, id)
		}
	}
	return nil
}

// maxTypeName is how many letters the name of a type may have.
const maxTypeName = 64

// isTypeName reports whether a type may bear the name.
func isTypeName(name string) bool {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case i > 0 && (c >= '0' && c <= '9' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return name != "" && len(name) <= maxTypeName
}
