package jobs_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

func TestParseYAMLOrderAndTime(t *testing.T) {
	const text = `type: x
after: [3F2A91C0, prep, 12345678]
after_any:
  - last night
not_before: 2026-12-01T02:00:00+01:00
retries: 2
hold: true
unique_key: nightly
on_duplicate: replace
params: {lr: 0.10, on: yes, text: ""}
args: ['{seed}', '{lr}']
foreach: {seed: [2, 010], lr: [0.1]}
`
	it := jobs.ParseYAML([]byte(text), "a.yaml")[0]
	if it.Request == nil {
		t.Fatal(said(it))
	}
	r := *it.Request
	at := func(line, column int) jobs.Position { return jobs.Position{File: "a.yaml", Line: line, Column: column} }
	if want := []jobs.Ref{{"3F2A91C0", at(2, 9)}, {"prep", at(2, 19)}, {"12345678", at(2, 25)}}; !reflect.DeepEqual(r.After, want) {
		t.Errorf("after %+v, want %+v", r.After, want)
	}
	if want := []jobs.Ref{{"last night", at(4, 5)}}; !reflect.DeepEqual(r.AfterAny, want) {
		t.Errorf("after_any %+v, want %+v", r.AfterAny, want)
	}
	if want := time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC); !r.NotBefore.Equal(want) {
		t.Errorf("not_before %v, want %v", r.NotBefore, want)
	}
	if r.Retries != 2 || !r.HasRetries || !r.Hold || r.UniqueKey != "nightly" || r.OnDuplicate != jobs.DuplicateReplace {
		t.Errorf("got %+v", r)
	}
	if want := map[string]string{"lr": "0.10", "on": "yes", "text": ""}; !maps.Equal(r.Params, want) {
		t.Errorf("params %q, want %q", r.Params, want)
	}
	if want := []jobs.Axis{{"seed", []string{"2", "010"}}, {"lr", []string{"0.1"}}}; !reflect.DeepEqual(r.Foreach, want) {
		t.Errorf("foreach %+v, want %+v", r.Foreach, want)
	}
}

func TestParseRetriesOfNone(t *testing.T) {
	r := jobs.ParseYAML([]byte("{type: x, retries: 0, hold: false, delay: 0s}"), "a.yaml")[0].Request
	if r == nil || !r.HasRetries || r.Retries != 0 || r.Hold || r.Delay != 0 {
		t.Errorf("got %+v", r)
	}
	if r := jobs.ParseYAML([]byte("{type: x}"), "a.yaml")[0].Request; r.HasRetries {
		t.Errorf("without the key: got %+v", r)
	}
}

func TestParseNotBefore(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for text, want := range map[string]time.Time{
		"2026-12-01T02:00:00Z":      time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC),
		"2026-12-01T02:00:00+01:00": time.Date(2026, 12, 1, 2, 0, 0, 0, zone),
		"2026-12-01T02:00:00.5Z":    time.Date(2026, 12, 1, 2, 0, 0, 5e8, time.UTC),
		"2026-12-01 02:00:00+01:00": time.Date(2026, 12, 1, 2, 0, 0, 0, zone),
		"2026-12-01T02:00+01:00":    time.Date(2026, 12, 1, 2, 0, 0, 0, zone),
		"2026-12-01T02:00":          time.Date(2026, 12, 1, 2, 0, 0, 0, time.Local),
		"2026-12-01 02:00":          time.Date(2026, 12, 1, 2, 0, 0, 0, time.Local),
		"2026-12-01 02:00:30":       time.Date(2026, 12, 1, 2, 0, 30, 0, time.Local),
	} {
		it := jobs.ParseYAML([]byte("{type: x, not_before: '"+text+"'}"), "a.yaml")[0]
		if it.Request == nil || !it.Request.NotBefore.Equal(want) {
			t.Errorf("not_before %s: got %s, want %s", text, said(it), want)
		}
	}
}

func TestParseYAMLRefusesBadValues(t *testing.T) {
	const (
		number = "retries must be a whole number from 0 to 1000, not "
		moment = "; write it as 2026-12-01T02:00:00+01:00, or 2026-12-01 02:00 for local time"
		axis   = "a name of letters, digits, _, - and ., with a letter or _ first"
	)
	for text, want := range map[string]string{
		"after: 3f2a91c0":                         `2:8: after must be a list, not "3f2a91c0"; write after: [<id>]`,
		"after: {a: b}":                           `2:8: after must be a list, not a mapping; write after: [<id>]`,
		"after: [a, [b]]":                         `2:12: after: entry 2 must be a single value, not a list`,
		"after: [~]":                              `2:9: after: entry 1 has no value; write '' for an empty text, or 'null' in quotes for the word`,
		"after_any: [a, '']":                      `2:16: after_any: entry 2 is empty`,
		"after_any:":                              `2:11: after_any must be a list, not nothing; write after_any: [<id>]`,
		"not_before: soon":                        `2:13: not_before must be a time, not "soon"` + moment,
		"not_before: 1700000":                     `2:13: not_before must be a time, not "1700000"` + moment,
		"not_before: 02:00":                       `2:13: not_before must be a time, not "02:00"` + moment,
		"not_before: 2026-13-01T02:00:00Z":        `2:13: not_before must be a time, not "2026-13-01T02:00:00Z"` + moment,
		"not_before: 9999-12-31T23:59:59-14:00":   `2:13: not_before must be a time, not "9999-12-31T23:59:59-14:00"` + moment,
		"not_before: 0000-06-01 02:00":            `2:13: not_before must be a time, not "0000-06-01 02:00"` + moment,
		"retries: ~":                              `2:10: retries has no value; give it one, or leave the key out`,
		"delay:":                                  `2:7: delay has no value; give it one, or leave the key out`,
		"not_before: [a]":                         `2:13: not_before must be a single value, not a list`,
		"delay: 90":                               `2:8: delay must be a duration, not "90"; write it as 90s, 10m or 2h`,
		"delay: -1s":                              `2:8: delay must be 0 or more, not "-1s"`,
		"delay: 99999999h":                        `2:8: delay must be a duration, not "99999999h"; write it as 90s, 10m or 2h`,
		"delay: 1h\nnot_before: 2026-12-01 02:00": `2:8: delay and not_before stand together; write one of them`,
		"retries: -1":                             `2:10: ` + number + `"-1"`,
		"retries: 1001":                           `2:10: ` + number + `"1001"`,
		"retries: '1'":                            `2:10: ` + number + `"1"`,
		"retries: 1.0":                            `2:10: ` + number + `"1.0"`,
		"retries: many":                           `2:10: ` + number + `"many"`,
		"hold: yes":                               `2:7: hold must be true or false, not "yes"`,
		"hold: 'true'":                            `2:7: hold must be true or false, not "true"`,
		"hold: True":                              `2:7: hold must be true or false, not "True"`,
		"hold: 1":                                 `2:7: hold must be true or false, not "1"`,
		"hold:":                                   `2:6: hold has no value; give it one, or leave the key out`,
		"unique_key: ''":                          `2:13: unique_key is empty`,
		"unique_key: [a]":                         `2:13: unique_key must be a single value, not a list`,
		"unique_key: \"a\\tb\"":                   `2:13: unique_key "a\tb" holds a control character`,
		"unique_key: " + strings.Repeat("é", 201):             `2:13: unique_key is longer than 200 characters`,
		"unique_key: a\non_duplicate: drop":                   `3:15: on_duplicate must be keep or replace, not "drop"`,
		"params: [a]":                                         `2:9: params must be a mapping (key: value), not a list`,
		"params: {a: {b: c}}":                                 `2:13: params.a must be a single value, not a mapping`,
		"params: {a: }":                                       `2:13: params.a has no value; write '' for an empty text, or 'null' in quotes for the word`,
		"params: {a: 1, a: 2}":                                `2:16: key "a" stands twice; the first is on line 2`,
		"foreach: [a]":                                        `2:10: foreach must be a mapping (key: value), not a list`,
		"foreach: {}":                                         `2:10: foreach has no keys; write foreach: {lr: [0.1, 0.01]}`,
		"foreach: {a: 1}":                                     `2:14: foreach.a must be a list, not "1"; write a: [0.1, 0.01]`,
		"foreach: {a: []}":                                    `2:14: foreach.a is empty; write at least one value`,
		"foreach: {a: [1, [2]]}":                              `2:18: foreach.a: value 2 must be a single value, not a list`,
		"foreach: {a: [1], a: [2]}":                           `2:19: key "a" stands twice; the first is on line 2`,
		"foreach: {'a b': [1]}":                               `2:11: foreach: "a b" must be ` + axis,
		"foreach: {'{a}': [1]}":                               `2:11: foreach: "{a}" must be ` + axis,
		"foreach: {1: [1]}":                                   `2:11: foreach: "1" must be ` + axis,
		"foreach: {" + strings.Repeat("a", 65) + ": [1]}":     `2:11: foreach: "` + strings.Repeat("a", 65) + `" must be ` + axis,
		"foreach: {a: [1]}":                                   `2:11: {a} of foreach stands nowhere in the request; put {a} into args, params, env, name, labels, unique_key or workdir`,
		"name: '{b}{ a }'\nforeach: {b: [1], a: [1]}":         `3:19: {a} of foreach stands nowhere in the request; put {a} into args, params, env, name, labels, unique_key or workdir`,
		"foreach: {a: [" + strings.Repeat("1,", 10001) + "]}": `2:10: foreach makes more than 10000 jobs; split it into several requests`,
	} {
		items := jobs.ParseYAML([]byte("type: x\n"+text), "a.yaml")
		if want = "a.yaml:" + want; len(items) != 1 || said(items[0]) != want {
			t.Errorf("ParseYAML(%.80q)\n got %s\nwant %s", text, said(items[0]), want)
		}
	}
}

// A product of many short lists is refused while it is still small.
func TestForeachProductIsRefusedEarly(t *testing.T) {
	var b strings.Builder
	for i := range 2000 {
		b.WriteString("a" + strings.Repeat("b", i%60) + string(rune('a'+i/60%26)) + string(rune('a'+i/1560)) + ": [1, 2, 3], ")
	}
	it := jobs.ParseYAML([]byte("type: x\nforeach: {"+b.String()+"}"), "a.yaml")[0]
	if want := "a.yaml:2:10: foreach makes more than 10000 jobs; split it into several requests"; said(it) != want {
		t.Errorf("got %s, want %s", said(it), want)
	}
}

func TestParseYAMLCommands(t *testing.T) {
	for text, want := range map[string]string{
		"action: pause":                           "pause []",
		"{action: pause, type: train}":            "pause type train",
		"{type: train, action: resume}":           "resume type train",
		"action: resume":                          "resume []",
		"action: drain":                           "drain []",
		"{action: rerun, ids: [3F2A91C0]}":        "rerun [3f2a91c0]",
		"{action: hold, ids: [3f2a91c0]}":         "hold [3f2a91c0]",
		"{action: release, ids: [3f2a91c0]}":      "release [3f2a91c0]",
		"{action: pause, ids: [3f2a91c0]}":        "a.yaml:1:17: pause takes no ids; write type: with a type's name, or nothing for all types",
		"{action: drain, ids: []}":                "a.yaml:1:17: drain takes no ids; write {action: drain} alone",
		"{action: drain, type: train}":            "a.yaml:1:17: drain takes no type; write {action: drain} alone",
		"{type: x, action: cancel}":               "a.yaml:1:2: cancel takes no type; write ids: [<id>]",
		"{action: cancel, ids: [3f2a91c0], a: 1}": `a.yaml:1:35: unknown key "a"; known keys: action, ids, type`,
		"{action: pause, type: }":                 "a.yaml:1:23: type has no value; give it one, or leave the key out",
		"{action: pause, type: [train]}":          "a.yaml:1:23: type must be a single value, not a list",
		"{action: pause, type: 'a b'}":            `a.yaml:1:23: "a b" cannot be the name of a type`,
		"{action: stop}":                          `a.yaml:1:10: unknown action "stop"; known actions: cancel, retry, rerun, hold, release, pause, resume, drain, prune`,
		"{action: paus}":                          `a.yaml:1:10: unknown action "paus"; did you mean "pause"?`,
		"action: rerun":                           "a.yaml:1:1: rerun names no job; write the job's id behind it",
	} {
		items := jobs.ParseYAML([]byte(text), "a.yaml")
		if len(items) != 1 || said(items[0]) != want {
			t.Errorf("ParseYAML(%q)\n got %s\nwant %s", text, said(items[0]), want)
		}
	}
}

func TestParseRequestNode(t *testing.T) {
	for text, want := range map[string]string{
		"a: {type: x, args: [5]}":   "id= state= target= type=x script= args=[\"5\"]",
		"a: {action: cancel}":       "c.yaml:1:5: a command cannot stand here; write a request: type: or script:",
		"a: {}":                     "c.yaml:1:4: request is empty; write at least type: or script:",
		"a: [x]":                    "c.yaml:1:4: request must be a mapping (key: value), not a list",
		"a: {type: x, typ: y}":      `c.yaml:1:14: unknown key "typ"; did you mean "type"?`,
		"a: {args: [1]}":            "c.yaml:1:4: neither type nor script is given; write type: with a type's name, or script:",
		"a: {type: x, hold: maybe}": `c.yaml:1:20: hold must be true or false, not "maybe"`,
	} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		r, f := jobs.ParseRequestNode(doc.Content[0].Content[1], "c.yaml")
		if got := said(jobs.Item{Request: r, Fault: f}); got != want {
			t.Errorf("ParseRequestNode(%s)\n got %s\nwant %s", text, got, want)
		}
	}
}
