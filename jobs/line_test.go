package jobs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"jobrunner/jobs"
)

const (
	someID   = "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e2"
	someIDUp = "E9D4620B-5BA5-4BD4-81E4-4A20E11C88E2"
)

// said gives what an item asks for, in one line.
func said(it jobs.Item) string {
	switch {
	case it.Request != nil:
		r := it.Request
		s := fmt.Sprintf("id=%s state=%s target=%s type=%s script=%s args=%q", r.ID, r.State, r.Target, r.Type, r.Script, r.Args)
		if r.Spelling != r.ID {
			s += " spelling=" + r.Spelling
		}
		return s
	case it.Command != nil:
		if it.Command.Type != "" {
			return fmt.Sprintf("%s type %s", it.Command.Action, it.Command.Type)
		}
		return fmt.Sprintf("%s %s", it.Command.Action, it.Command.IDs)
	case it.Fault != nil:
		return it.Fault.Error()
	}
	return "nothing"
}

func TestParseLine(t *testing.T) {
	for line, want := range map[string]string{
		"":                           "nothing",
		"   \t":                      "nothing",
		"# a comment":                "nothing",
		"  # 'another":               "nothing",
		"countdown.py 25":            `id= state= target=countdown.py type= script= args=["25"]`,
		"  countdown  25  \r":        `id= state= target=countdown type= script= args=["25"]`,
		"countdown.py 5 # five":      `id= state= target=countdown.py type= script= args=["5" "#" "five"]`,
		`jobs\countdown.py "a b" ''`: `id= state= target=jobs\countdown.py type= script= args=["a b" ""]`,

		// With an id a state and a lone - mean something, without one nothing.
		someID + " countdown.py 5 PENDING":       `id=` + someID + ` state=PENDING target=countdown.py type= script= args=["5"]`,
		someID + " countdown.py 5":               `id=` + someID + ` state= target=countdown.py type= script= args=["5"]`,
		someIDUp + " countdown.py 5":             `id=` + someID + ` state= target=countdown.py type= script= args=["5"] spelling=` + someIDUp,
		someID + " train - COMPLETED  ":          `id=` + someID + ` state=COMPLETED target=train type= script= args=[]`,
		someID + " train -":                      `id=` + someID + ` state= target=train type= script= args=[]`,
		someID + " train '-' LOST":               `id=` + someID + ` state=LOST target=train type= script= args=["-"]`,
		someID + " train - - FAILED":             `id=` + someID + ` state=FAILED target=train type= script= args=["-" "-"]`,
		someID + " train 'PENDING'":              `id=` + someID + ` state= target=train type= script= args=["PENDING"]`,
		someID + " train PENDING RUNNING":        `id=` + someID + ` state=RUNNING target=train type= script= args=["PENDING"]`,
		someID + " train pending":                `id=` + someID + ` state= target=train type= script= args=["pending"]`,
		someID + " cancel x":                     `id=` + someID + ` state= target=cancel type= script= args=["x"]`,
		"train PENDING":                          `id= state= target=train type= script= args=["PENDING"]`,
		"train -":                                `id= state= target=train type= script= args=["-"]`,
		"e9d4620b-5ba5-4bd4-81e4 train":          `id= state= target=e9d4620b-5ba5-4bd4-81e4 type= script= args=["train"]`,
		"g9d4620b-5ba5-4bd4-81e4-4a20e11c88e2 x": `id= state= target=g9d4620b-5ba5-4bd4-81e4-4a20e11c88e2 type= script= args=["x"]`,

		// JSON on one line.
		`{"type": "countdown", "args": ["5"], "priority": 10}`: `id= state= target= type=countdown script= args=["5"]`,
		` {"script":"x.py","id":"` + someIDUp + `"}`:           `id=` + someID + ` state= target= type= script=x.py args=[] spelling=` + someIDUp,
		`{"action": "cancel", "ids": ["3F2A91C0"]}`:            `cancel [3f2a91c0]`,
		`{"type": "x"} {"type": "y"}`:                          `job_queue.txt:14:1: more than one object stands on the line; write one request a line`,
		`  {"type": "x"} y`:                                    `job_queue.txt:14:17: not valid JSON: invalid character 'y' looking for beginning of value`,
		`{"type": "x"`:                                         `job_queue.txt:14:13: not valid JSON: it ends in the middle`,
		`{"type": "é", "argz": []}`:                            `job_queue.txt:14:15: unknown key "argz"; did you mean "args"?`,

		// Commands.
		"cancel 3f2a91c0":                   `cancel [3f2a91c0]`,
		"retry " + someIDUp + " 3F2A91C0-5": `retry [` + someID + ` 3f2a91c0-5]`,
		"cancel 3f2a91c0 3F2A91C0":          `cancel [3f2a91c0]`,
		"cancel":                            `job_queue.txt:14: cancel names no job; write the job's id behind it`,
		"cancel 3f2a91c":                    `job_queue.txt:14: "3f2a91c" is not a job's id; give the id, or at least its first 8 letters`,
		"cancel 3f2a91c0 countdown":         `job_queue.txt:14: "countdown" is not a job's id; give the id, or at least its first 8 letters`,
		"cancel " + someID + "0":            `job_queue.txt:14: "` + someID + `0" is not a job's id; give the id, or at least its first 8 letters`,
		"'cancel' 3f2a91c0":                 `id= state= target=cancel type= script= args=["3f2a91c0"]`,
		"Cancel 3f2a91c0":                   `id= state= target=Cancel type= script= args=["3f2a91c0"]`,
		"rerun 3f2a91c0":                    `rerun [3f2a91c0]`,
		"hold 3f2a91c0 " + someID:           `hold [3f2a91c0 ` + someID + `]`,
		"release 3F2A91C0":                  `release [3f2a91c0]`,
		"hold":                              `job_queue.txt:14: hold names no job; write the job's id behind it`,
		"rerun train":                       `job_queue.txt:14: "train" is not a job's id; give the id, or at least its first 8 letters`,
		"pause":                             `pause []`,
		"pause train":                       `pause type train`,
		"  resume\t train_2-b ":             `resume type train_2-b`,
		"resume":                            `resume []`,
		"drain":                             `drain []`,
		"pause train count":                 `job_queue.txt:14: pause takes one type, and not "count" too; write one command for each`,
		"resume 3f2a91c0":                   `job_queue.txt:14: "3f2a91c0" cannot be the name of a type`,
		"pause " + strings.Repeat("a", 65):  `job_queue.txt:14: "` + strings.Repeat("a", 65) + `" cannot be the name of a type`,
		"pause ''":                          `job_queue.txt:14: "" cannot be the name of a type`,
		"drain now":                         `job_queue.txt:14: drain stands alone, not before "now"`,
		"'drain'":                           `id= state= target=drain type= script= args=[]`,
		"drained":                           `id= state= target=drained type= script= args=[]`,

		// One word in quotes.
		`"countdown.py 25"`:                       `id= state= target=countdown.py 25 type= script= args=[]`,
		`"cancel 3f2a91c0" `:                      `cancel [3f2a91c0]`,
		`"cancel me"`:                             `job_queue.txt:14: "me" is not a job's id; give the id, or at least its first 8 letters`,
		`"` + someID + ` countdown.py 5 PENDING"`: `id=` + someID + ` state=PENDING target=countdown.py type= script= args=["5"]`,
		`'{"type": "countdown", "args": [5]}'`:    `id= state= target= type=countdown script= args=["5"]`,
		`'{"type": "countdown" "args": [5]}'`:     `job_queue.txt:14: not valid JSON: invalid character '"' after object key:value pair`,
		`"it's mine.py"`:                          `id= state= target=it's mine.py type= script= args=[]`,

		// Faults.
		"x 'a":              `job_queue.txt:14:3: this single quote (') is never closed; close it, or put a backslash before it`,
		someID:              `job_queue.txt:14: an id alone is no request; write a script or type behind it`,
		someID + " PENDING": `job_queue.txt:14: an id alone is no request; write a script or type behind it`,
		"'' x":              `job_queue.txt:14: the script or type is empty`,
		"x\x00y z":          `job_queue.txt:14:2: a NUL byte stands inside the text`,
		"x\xff y":           `job_queue.txt:14:2: byte 0xff is not valid UTF-8; save the file as UTF-8`,
	} {
		it := jobs.ParseLine([]byte(line), jobs.Position{File: "job_queue.txt", Line: 14})
		if got := said(it); got != want {
			t.Errorf("ParseLine(%q)\n got %s\nwant %s", line, got, want)
		}
		set := 0
		for _, is := range []bool{it.Request != nil, it.Command != nil, it.Fault != nil} {
			if is {
				set++
			}
		}
		if set != 1 && it != (jobs.Item{}) || set > 1 {
			t.Errorf("ParseLine(%q) sets %d of request, command and fault", line, set)
		}
	}
}

func TestParseLineShowsWhatIsFaulty(t *testing.T) {
	long := strings.Repeat("é", 200)
	for line, want := range map[string]struct{ word, id, spelling string }{
		"cancel":                 {"cancel", "", ""},
		"x 'a":                   {"x", "", ""},
		someIDUp + " x 'a":       {"x", someID, someIDUp},
		someIDUp:                 {"", someID, someIDUp},
		"a\xff\x1b b":            {"a??", "", ""},
		long + " 'a":             {strings.Repeat("é", 80) + "…", "", ""},
		`{"type": "tr", "x": 1}`: {"tr", "", ""},
		`{"id": "` + someIDUp + `", "script": "x.py", "type": "y", "x": 1}`: {"x.py", someID, someIDUp},
		`{"type": `: {`{"type"`, "", ""},
		`{"params":{"token":"s3cr3t"},"type":"train"`:                {`{"params"`, "", ""},
		someID + " x.py " + strings.Repeat("a", jobs.MaxRequestSize): {"x.py", someID, someID},
	} {
		it := jobs.ParseLine([]byte(line), jobs.Position{File: "q", Line: 1})
		if it.Fault == nil {
			t.Errorf("ParseLine(%.60q) is no fault: %s", line, said(it))
		}
		if it.FirstWord != want.word || it.ID != want.id || it.Spelling != want.spelling {
			t.Errorf("ParseLine(%.60q) shows %q %q %q, want %+v", line, it.FirstWord, it.ID, it.Spelling, want)
		}
	}
}

func TestParseLines(t *testing.T) {
	data := "\xef\xbb\xbf# header\r\n\r\ncountdown.py 25\r\n" + "bad 'quote\n" + "cancel 3f2a91c0\n" + `{"type": "x"}`
	var got []string
	for _, it := range jobs.ParseFile("batch.txt", []byte(data)) {
		got = append(got, said(it))
	}
	want := []string{
		`id= state= target=countdown.py type= script= args=["25"]`,
		`batch.txt:4:5: this single quote (') is never closed; close it, or put a backslash before it`,
		`cancel [3f2a91c0]`,
		`id= state= target= type=x script= args=[]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestParseLinesEncodings(t *testing.T) {
	const text = "# größe\r\nx.py 1\r\ny.py 吊\r\n" // the last letter holds the byte of a newline
	be := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(text)) {
		be = append(be, byte(u>>8), byte(u))
	}
	for name, data := range map[string]string{
		"UTF-8":              text,
		"UTF-8 with mark":    "\xef\xbb\xbf" + text,
		"UTF-16LE with mark": "\xff\xfe" + wide(text),
		"UTF-16LE":           wide(text),
		"UTF-16BE with mark": string(be),
		"CR alone":           strings.ReplaceAll(text, "\r\n", "\r"),
	} {
		items := jobs.ParseFile("a.job", []byte(data))
		if len(items) != 2 || items[0].Request == nil || items[1].Request == nil ||
			items[0].Request.At.Line != 2 || items[1].Request.Target != "y.py" || !slices.Equal(items[1].Request.Args, []string{"吊"}) {
			t.Errorf("%s: got %d items: %+v", name, len(items), items)
		}
	}
}

func TestParseFileWithoutRequests(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt":  "a.txt:1:1: the file holds no request",
		"a.job":  "a.job:1:1: the file holds no request",
		"a.yaml": "a.yaml:1:1: the file holds no request",
		"A.YML":  "A.YML:1:1: the file holds no request",
		"a.toml": "a.toml: this is no request file; name it *.yaml, *.yml, *.json, *.txt or *.job",
	} {
		items := jobs.ParseFile(name, []byte("# only words\n\n"))
		if len(items) != 1 || said(items[0]) != want {
			t.Errorf("ParseFile(%s) = %+v, want %s", name, items, want)
		}
	}
	for _, name := range []string{"a.txt", "a.yaml", "a.json"} {
		items := jobs.ParseFile(name, nil)
		if want := name + ":1:1: the file is empty"; len(items) != 1 || said(items[0]) != want {
			t.Errorf("ParseFile(%s) of nothing = %+v, want %s", name, items, want)
		}
	}
}
