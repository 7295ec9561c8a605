package jobs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestParseYAMLAllKeys(t *testing.T) {
	const text = `# a request
type: python
script: examples/countdown.py
args: [25, 0.10, 010, yes, 1_000, 2026-12-01, 0x1F, -0, "null", '', "a b", 1e3, !!str 7]
id: ` + someIDUp + `
name: nightly
priority: -5
timeout: 2h
env: {EPOCHS: 010, EMPTY: ""}
workdir: runs/a
labels: {owner: ada, 1: yes}
`
	items := jobs.ParseFile("train.yaml", []byte(text))
	if len(items) != 1 || items[0].Request == nil {
		t.Fatalf("got %+v", items)
	}
	r := items[0].Request
	if r.Type != "python" || r.Script != "examples/countdown.py" || r.ID != someID || r.Spelling != someIDUp ||
		r.Name != "nightly" || r.Priority != -5 || !r.HasPriority || r.Timeout != 2*time.Hour || r.Workdir != "runs/a" {
		t.Errorf("got %+v", r)
	}
	args := []string{"25", "0.10", "010", "yes", "1_000", "2026-12-01", "0x1F", "-0", "null", "", "a b", "1e3", "7"}
	if !slices.Equal(r.Args, args) {
		t.Errorf("args %q, want %q", r.Args, args)
	}
	if want := map[string]string{"EPOCHS": "010", "EMPTY": ""}; !maps.Equal(r.Env, want) {
		t.Errorf("env %q, want %q", r.Env, want)
	}
	if want := map[string]string{"owner": "ada", "1": "yes"}; !maps.Equal(r.Labels, want) {
		t.Errorf("labels %q, want %q", r.Labels, want)
	}
	if want := (jobs.Position{File: "train.yaml", Line: 2, Column: 1}); r.At != want {
		t.Errorf("at %+v, want %+v", r.At, want)
	}
}

func TestParseYAMLDefaults(t *testing.T) {
	r := jobs.ParseYAML([]byte("{type: x}"), "a.yaml")[0].Request
	if r == nil || r.HasPriority || r.ID != "" || r.Args != nil || r.Timeout != 0 || r.State != "" {
		t.Errorf("got %+v", r)
	}
}

func TestParseYAMLDocuments(t *testing.T) {
	for text, want := range map[string][]string{
		"type: a\n---\ntype: b\n...\n# end\n":                  {"id= state= target= type=a script= args=[]", "id= state= target= type=b script= args=[]"},
		"---\ntype: a\n...\n---\ntype: b\n":                    {"id= state= target= type=a script= args=[]", "id= state= target= type=b script= args=[]"},
		"\xef\xbb\xbftype: a\r\nargs:\r\n  - 'x\r\n    y'\r\n": {`id= state= target= type=a script= args=["x y"]`},
		"\xff\xfe" + wide("type: ä\r\n"):                       {"id= state= target= type=ä script= args=[]"},
		wide("type: a\r\n"):                                    {"id= state= target= type=a script= args=[]"},
		"action: retry\nids: [3F2A91C0, 12345678]":             {"retry [3f2a91c0 12345678]"},
		"type: a\n---\nmaxx: 1\n---\ntype: b\n": {
			"id= state= target= type=a script= args=[]",
			`a.yaml:3:1: unknown key "maxx"; ` + knownKeys,
			"id= state= target= type=b script= args=[]",
		},
		"type: a\n...\nand more\n":  {"id= state= target= type=a script= args=[]", "a.yaml:3: text follows the end of the document; write --- before a further document"},
		"type: a\n---\n":            {"id= state= target= type=a script= args=[]", "a.yaml:3:1: the document must be a mapping (key: value), not nothing"},
		"type: a\n---":              {"id= state= target= type=a script= args=[]", "a.yaml:2:4: the document must be a mapping (key: value), not nothing"},
		"type: a\n---\n- x\n":       {"id= state= target= type=a script= args=[]", "a.yaml:3:1: the document must be a mapping (key: value), not a list"},
		"type: a\n---\nb: [1, \n\n": {"id= state= target= type=a script= args=[]", "a.yaml:3: not valid YAML: did not find expected node content"},
	} {
		var got []string
		for _, it := range jobs.ParseYAML([]byte(text), "a.yaml") {
			got = append(got, said(it))
		}
		if !slices.Equal(got, want) {
			t.Errorf("ParseYAML(%q)\n got %q\nwant %q", text, got, want)
		}
	}
}

const knownKeys = "known keys: after, after_any, args, delay, env, foreach, hold, id, labels, name, " +
	"not_before, on_duplicate, params, priority, retries, script, timeout, type, unique_key, workdir"

func TestParseYAMLRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "a.yaml:1:1: the file is empty",
		"\n# x\n":                         "a.yaml:1:1: the file holds no request",
		"{}":                              "a.yaml:1:1: the document is empty; write at least type: or script:",
		"- type: x":                       "a.yaml:1:1: the document must be a mapping (key: value), not a list",
		"countdown 25":                    `a.yaml:1:1: the document must be a mapping (key: value), not "countdown 25"`,
		"args: [1]":                       "a.yaml:1:1: neither type nor script is given; write type: with a type's name, or script:",
		"type: x\nprioritty: 3":           `a.yaml:2:1: unknown key "prioritty"; did you mean "priority"?`,
		"type: x\ntarget: y":              `a.yaml:2:1: unknown key "target"; ` + knownKeys,
		"type: x\nstate: DONE":            `a.yaml:2:1: unknown key "state"; ` + knownKeys,
		"type: x\ntype: y":                `a.yaml:2:1: key "type" stands twice; the first is on line 1`,
		"type: x\n\"type\": y":            `a.yaml:2:1: key "type" stands twice; the first is on line 1`,
		"? [a]\n: b":                      "a.yaml:1:3: a key must be a single value, not a list",
		"~: b":                            "a.yaml:1:1: a key has no value; put the word in quotes if it is one",
		"<<: {type: x}":                   "a.yaml:1:1: merge keys (<<) are not allowed; write the values out",
		"type: [x]":                       "a.yaml:1:7: type must be a single value, not a list",
		"type:":                           "a.yaml:1:6: type has no value; give it one, or leave the key out",
		"type: ''":                        "a.yaml:1:7: type is empty",
		"script: {a: b}":                  "a.yaml:1:9: script must be a single value, not a mapping",
		"type: &a x":                      "a.yaml:1:7: anchors and aliases (& and *) are not allowed; write the value out, or put it in quotes",
		"&a {type: x}":                    "a.yaml:1:1: anchors and aliases (& and *) are not allowed; write the value out, or put it in quotes",
		"name: &a x\ntype: *a":            "a.yaml:1:7: anchors and aliases (& and *) are not allowed; write the value out, or put it in quotes",
		"type: *a":                        "a.yaml:1: anchors and aliases (& and *) are not allowed; put text that begins with * in quotes",
		"type: x\nargs: &a [*a]":          "a.yaml:2:7: anchors and aliases (& and *) are not allowed; write the value out, or put it in quotes",
		"%TAG ! tag:x\n---\ntype: x":      "a.yaml:1:1: a %TAG directive is not allowed; remove the line",
		"# a\n%TAG ! tag:x\n---\ntype: x": "a.yaml:2:1: a %TAG directive is not allowed; remove the line",
		"type: !!int 3":                   `a.yaml:1:7: the tag "!!int" is not allowed; put the text in quotes`,
		"type: x\nargs: 25":               `a.yaml:2:7: args must be a list, not "25"; write args: [25]`,
		"type: x\nargs: {a: 1}":           "a.yaml:2:7: args must be a list, not a mapping; write args: [25]",
		"type: x\nargs:":                  "a.yaml:2:6: args must be a list, not nothing; write args: [25]",
		"type: x\nargs: [1, ~]":           "a.yaml:2:11: argument 2 has no value; write '' for an empty text, or 'null' in quotes for the word",
		"type: x\nargs:\n- null":          "a.yaml:3:3: argument 1 has no value; write '' for an empty text, or 'null' in quotes for the word",
		"type: x\nargs: [[1]]":            "a.yaml:2:8: argument 1 must be a single value, not a list",
		"type: x\nargs: [{a: 1}]":         "a.yaml:2:8: argument 1 must be a single value, not a mapping",
		"type: x\nargs: [\"\\0\"]":        "a.yaml:2:8: argument 1 holds a NUL character",
		"type: x\nid: 17":                 `a.yaml:2:5: id must be a UUID, not "17"; leave the key out, and the job gets one`,
		"type: x\npriority: high":         `a.yaml:2:11: priority must be a whole number from -1000 to 1000, not "high"`,
		"type: x\npriority: '5'":          `a.yaml:2:11: priority must be a whole number from -1000 to 1000, not "5"`,
		"type: x\npriority: 1001":         `a.yaml:2:11: priority must be a whole number from -1000 to 1000, not "1001"`,
		"type: x\npriority: -1001":        `a.yaml:2:11: priority must be a whole number from -1000 to 1000, not "-1001"`,
		"type: x\npriority: 010":          `a.yaml:2:11: priority must be a whole number from -1000 to 1000, not "010"`,
		"type: x\npriority: 1.0":          `a.yaml:2:11: priority must be a whole number from -1000 to 1000, not "1.0"`,
		"type: x\npriority: true":         `a.yaml:2:11: priority must be a whole number from -1000 to 1000, not "true"`,
		"type: x\ntimeout: 90":            `a.yaml:2:10: timeout must be a duration, not "90"; write it as 90s, 10m or 2h`,
		"type: x\ntimeout: 0s":            `a.yaml:2:10: timeout must be more than 0, not "0s"; leave the key out for the type's limit`,
		"type: x\ntimeout: -1h":           `a.yaml:2:10: timeout must be more than 0, not "-1h"; leave the key out for the type's limit`,
		"type: x\nenv: [A]":               "a.yaml:2:6: env must be a mapping (key: value), not a list",
		"type: x\nenv: {A: [b]}":          "a.yaml:2:10: env.A must be a single value, not a list",
		"type: x\nenv: {A: 1, A: 2}":      `a.yaml:2:13: key "A" stands twice; the first is on line 2`,
		"type: x\nenv: {A=B: 1}":          `a.yaml:2:6: env: "A=B" cannot be the name of a variable`,
		"type: x\nlabels: x":              `a.yaml:2:9: labels must be a mapping (key: value), not "x"`,
		"type: x\nlabels: {a: {b: c}}":    "a.yaml:2:13: labels.a must be a single value, not a mapping",
		"type: x\nlabels: {\"a\\eb\": c}": `a.yaml:2:9: label "a\x1bb" holds a control character`,
		"type: x\nname: \"a\\nb\"":        `a.yaml:2:7: name "a\nb" holds a control character`,
		"type: x\nname: \"a\\u202Eb\"":    `a.yaml:2:7: name "a\u202eb" holds a control character`,
		"type: x\nname: " + strings.Repeat("é", 201): "a.yaml:2:7: name is longer than 200 characters",
		"type: x\nworkdir: ''":                       "a.yaml:2:10: workdir is empty",

		"action: cancle\nids: [3f2a91c0]": `a.yaml:1:9: unknown action "cancle"; did you mean "cancel"?`,
		"action: cancel":                  "a.yaml:1:1: cancel names no job; write the job's id behind it",
		"action: cancel\nids: []":         "a.yaml:2:6: cancel names no job; write the job's id behind it",
		"action: cancel\nids: 3f2a91c0":   `a.yaml:2:6: ids must be a list, not "3f2a91c0"; write ids: [<id>]`,
		"action: cancel\nids: [abc]":      `a.yaml:2:6: "abc" is not a job's id; give the id, or at least its first 8 letters`,

		"type: x\nargs:\n\t- 1":         "a.yaml:3:1: a tab stands in the indentation; YAML wants spaces there",
		"type: x\n  \tname: y":          "a.yaml:2:8: not valid YAML: mapping values are not allowed in this context",
		"type: @x":                      "a.yaml:1:7: not valid YAML: found character that cannot start any token; put the text in quotes",
		"# a\n# b\ntype: x\nargs: [1]]": "a.yaml:4:10: not valid YAML: did not find expected key",
		"type: x\n b: 2":                "a.yaml:2:3: not valid YAML: mapping values are not allowed in this context",
		"type: x\nargs: [1,":            "a.yaml:2: not valid YAML: did not find expected node content",
		"type: \"x":                     "a.yaml:1: not valid YAML: found unexpected end of stream",
		"type: x\nname: a\x00b":         "a.yaml:2:8: a NUL byte stands inside the text",
		"type: x\nname: é\x07b":         `a.yaml:2:8: a control character stands inside the text; write it as "\xNN" in double quotes`,
		"type: x\nname: gr\xf6sse":      "a.yaml:2:9: byte 0xf6 is not valid UTF-8; save the file as UTF-8",
		"\xff\xfea":                     "a.yaml: the file ends in the middle of a UTF-16 character; save the file as UTF-8",
	} {
		items := jobs.ParseYAML([]byte(text), "a.yaml")
		if len(items) != 1 || said(items[0]) != want {
			t.Errorf("ParseYAML(%q)\n got %s\nwant %s", text, said(items[0]), want)
		}
	}
}

func TestFaultyDocumentShowsItself(t *testing.T) {
	for text, want := range map[string][2]string{
		"type: x\nmaxx: 1\nid: " + someIDUp: {"x", someID},
		"script: y.py\ntype: x\nargs: 1":    {"y.py", ""},
		"action: cancel\nids: 3":            {"cancel", ""},
		"type: \"a\\nb\"\nx: 1\nid: [a]":    {"a?b", ""},
		"- type: x":                         {"", ""},
		"type: [":                           {"", ""},
	} {
		it := jobs.ParseYAML([]byte(text), "a.yaml")[0]
		if it.Fault == nil || it.FirstWord != want[0] || it.ID != want[1] {
			t.Errorf("%q shows %q %q (%s), want %q", text, it.FirstWord, it.ID, said(it), want)
		}
	}
}
