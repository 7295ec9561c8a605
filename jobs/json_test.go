package jobs_test

import (
	"slices"
	"strings"
	"testing"

	"jobrunner/jobs"
)

func TestParseJSON(t *testing.T) {
	for text, want := range map[string][]string{
		`{"type": "x", "args": [25, 0.10, 1e3, true, "null", "", "é\n😀"]}`: {
			`id= state= target= type=x script= args=["25" "0.10" "1e3" "true" "null" "" "é\n😀"]`,
		},
		"{\"type\": \"x\"}\n{\"script\": \"y.py\"} {\"action\": \"cancel\", \"ids\": [\"3f2a91c0\", 12345678]}\r\n": {
			"id= state= target= type=x script= args=[]", "id= state= target= type= script=y.py args=[]", "cancel [3f2a91c0 12345678]",
		},
		"\xef\xbb\xbf{\"type\": \"x\\/y\"}":          {"id= state= target= type=x/y script= args=[]"},
		"\xff\xfe" + wide(`{"type": "größe"}`):       {"id= state= target= type=größe script= args=[]"},
		`{"type": "\uFFFD \ufffd ` + "\ufffd" + `"}`: {"id= state= target= type=\ufffd \ufffd \ufffd script= args=[]"},

		// A fault in one object leaves the others readable.
		"{\"type\": \"x\"}\n{\"typ\": \"y\"}\n{\"type\": \"z\"}": {
			"id= state= target= type=x script= args=[]", `a.json:2:2: unknown key "typ"; did you mean "type"?`, "id= state= target= type=z script= args=[]",
		},
		`{"type": "x"} trailing`:        {"id= state= target= type=x script= args=[]", `a.json:1:17: not valid JSON: invalid character 'a' in literal true (expecting 'u')`},
		`{"type": "x"},{"type": "y"}`:   {"id= state= target= type=x script= args=[]", `a.json:1:14: not valid JSON: invalid character ',' looking for beginning of value`},
		"{\"type\": \"x\"}\n{\"type\":": {"id= state= target= type=x script= args=[]", `a.json:2:9: not valid JSON: it ends in the middle`},
	} {
		var got []string
		for _, it := range jobs.ParseJSON([]byte(text), "a.json") {
			got = append(got, said(it))
		}
		if !slices.Equal(got, want) {
			t.Errorf("ParseJSON(%q)\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestParseJSONRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "a.json:1:1: the file is empty",
		" \n":                                "a.json:1:1: the file holds no request",
		"{}":                                 "a.json:1:1: the document is empty; write at least type: or script:",
		`[{"type": "x"}]`:                    "a.json:1:1: the document must be a mapping (key: value), not a list",
		`null`:                               "a.json:1:1: the document must be a mapping (key: value), not nothing",
		`"x"`:                                `a.json:1:1: the document must be a mapping (key: value), not "x"`,
		"{\n  \"type\": \"x\",\n  \"é\": 1}": `a.json:3:3: unknown key "é"; ` + knownKeys,
		`{"type": "x", "type": "y"}`:         `a.json:1:15: key "type" stands twice; the first is on line 1`,
		`{"type": "x", "t\u0079pe": "y"}`:    `a.json:1:15: key "type" stands twice; the first is on line 1`,
		`{"type": "x", "env": {"A": "1", "A": "2"}}`: `a.json:1:33: key "A" stands twice; the first is on line 1`,
		`{"type": "x", "args": [null]}`:              "a.json:1:24: argument 1 has no value; write '' for an empty text, or 'null' in quotes for the word",
		`{"type": "x", "args": ["a\u0000"]}`:         "a.json:1:24: argument 1 holds a NUL character",
		`{"type": "x", "args": "25"}`:                `a.json:1:23: args must be a list, not "25"; write args: [25]`,
		`{"type": "x", "args": [[1]]}`:               "a.json:1:24: argument 1 must be a single value, not a list",
		`{"type": "x", "priority": "5"}`:             `a.json:1:27: priority must be a whole number from -1000 to 1000, not "5"`,
		`{"type": "x", "priority": 5.0}`:             `a.json:1:27: priority must be a whole number from -1000 to 1000, not "5.0"`,
		`{"type": "x", "timeout": 90}`:               `a.json:1:26: timeout must be a duration, not "90"; write it as 90s, 10m or 2h`,
		`{"type": "x", "args": ["\ud800"]}`:          `a.json:1:24: a \u escape is half of a pair, and no character`,
		`{"type": "x",}`:                             `a.json:1:14: not valid JSON: invalid character '}' looking for beginning of object key string`,
		`{"type": "x" "args": []}`:                   `a.json:1:14: not valid JSON: invalid character '"' after object key:value pair`,
		`{'type': 'x'}`:                              `a.json:1:2: not valid JSON: invalid character '\'' looking for beginning of object key string`,
		"{\"type\": \"x\ty\"}":                       `a.json:1:12: not valid JSON: invalid character '\t' in string literal`,
		"// x\n{}":                                   `a.json:1:1: not valid JSON: invalid character '/' looking for beginning of value`,
		"{\"type\": \"\xff\"}":                       "a.json:1:11: byte 0xff is not valid UTF-8; save the file as UTF-8",
		"{\"type\":\x00 1}":                          "a.json:1:9: a NUL byte stands inside the text",
		`{"type": "x", "args": ` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}`: "a.json:1:38: the object is nested too deep",
		strings.Repeat(`{"a":`, 13000): "a.json:1:50001: not valid JSON: it is nested too deep",
	} {
		items := jobs.ParseJSON([]byte(text), "a.json")
		if len(items) != 1 || said(items[0]) != want {
			t.Errorf("ParseJSON(%.80q)\n got %s\nwant %s", text, said(items[0]), want)
		}
	}
}
