package progress_test

import (
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// noPercent stands for a progress of words alone.
const noPercent = -1

// check compares a progress with what is wanted of it.
func check(t *testing.T, what string, p *jobs.Progress, percent float64, text, source string) {
	t.Helper()
	if percent != noPercent {
		t.Run(what, func(t *testing.T) { want(t, p, percent, text, source) })
		return
	}
	if p == nil || p.Percent != nil || p.Text != text || p.Source != source {
		t.Errorf("%s: got %s, want %q by %q", what, show(p), text, source)
	}
}

// What a job says on purpose, in each of the ways.
func TestSaid(t *testing.T) {
	for line, row := range map[string]struct {
		percent float64
		text    string
	}{
		"@progress 42/100 resizing images":        {42, "resizing images"},
		"@progress 42/100":                        {42, "42/100"},
		"@progress 42% resizing":                  {42, "resizing"},
		"@progress 42 % resizing":                 {42, "resizing"},
		"@progress 42.5%":                         {42.5, ""},
		"@progress 0.42":                          {42, ""},
		"@progress .42 resizing":                  {42, "resizing"},
		"@progress 1e-2":                          {1, ""},
		"@progress 0":                             {0, ""},
		"@progress 1":                             {100, ""},
		"@progress 42":                            {42, ""},
		"@progress: 0.42 resizing":                {42, "resizing"},
		"  @progress\t3 / 4  a   b ":              {75, "a b"},
		"@progress 3/0.5":                         {100, "3/0.5"},
		"@progress 120/100":                       {100, "120/100"},
		"@progress 250%":                          {100, ""},
		"@progress resizing":                      {noPercent, "resizing"},
		"@progress 3 files left":                  {3, "files left"},
		"@progress 0/0":                           {noPercent, "0/0"},
		"@progress 42/100resizing":                {noPercent, "42/100resizing"},
		"@progress -3%":                           {noPercent, "-3%"},
		"@progress nan":                           {noPercent, "nan"},
		"\x1b[32m@progress 42/100 green\x1b[0m":   {42, "green"},
		"@progress 42% a\x01b\u202ec\xffd":        {42, "a?b?c?d"},
		`{"progress": 0.5}`:                       {50, ""},
		`{"progress":0.5,"status":"half"}`:        {50, "half"},
		`{"status":"a \"b\" ü","progress":1}`:     {100, `a "b" ü`},
		`{"complete":0,"progress":1e-2,"code":0}`: {1, ""},
		"25%":        {25, ""},
		"  25.5 %  ": {25.5, ""},
		"100%":       {100, ""},
		"##vso[task.setprogress value=75;]Upload": {75, "Upload"},
		"##vso[task.setprogress value=75]":        {75, ""},
		"\x1b]9;4;1;42\x07":                       {42, ""},
		"\x1b]9;4;1;42\x1b\\":                     {42, ""},
		"\x1b]9;4;2;42\xc2\x9cfailed":             {42, ""},
		"\x1b]9;4;4;42\x07":                       {42, ""},
	} {
		d := progress.New(jobs.ProgressRule{}, start)
		d.Write([]byte(line+"\n"), start)
		check(t, line, d.Progress(start), row.percent, row.text, jobs.ProgressSaid)
	}
}

// What looks like it and is not.
func TestNotSaid(t *testing.T) {
	for _, line := range []string{
		"@progress", "@progress ", "@progressive 3/4", "x @progress 3/4", "@ progress 3/4",
		`{"progress":"half"}`, `{"progress":-1}`, `{"other":0.5}`, `{"progress":[1,2]}`,
		"101%", "1.2.3%", "-5%", "%", "##vso[task.complete result=75;]", "##[section]75%",
		"\x1b]9;4;3;0\x07", "\x1b]9;4;0;0\x07", "\x1b]9;4\x07", "\x1b]9;3;1;42\x07", "\x1b]9;4;1;x\x07", "\x1b]2;42%\x07",
	} {
		d := progress.New(jobs.ProgressRule{}, start)
		d.Write([]byte(line+"\n"), start)
		if p := d.Progress(start); p != nil {
			t.Errorf("%q: got %s", line, show(p))
		}
	}
}

// Words alone leave the number as it is; a line with a number says all.
func TestSaidWords(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	d.Write([]byte("@progress 40% reading\n@progress writing\n"), start)
	want(t, d.Progress(start), 40, "writing", jobs.ProgressSaid)
	d.Write([]byte("@progress 50%\n"), start)
	want(t, d.Progress(start), 50, "", jobs.ProgressSaid)
}

// A bar of the terminal that is taken away leaves room for others.
func TestSaidTakenBack(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	d.Write([]byte("\x1b]9;4;1;42\x07\r 10%|#         | 1/10 [00:01<00:09,  1.00it/s]"), start)
	want(t, d.Progress(start), 42, "", jobs.ProgressSaid)
	d.Write([]byte("\x1b]9;4;0\x07\r 20%|##        | 2/10 [00:02<00:08,  1.00it/s]"), start)
	want(t, d.Progress(start), 20, "2/10", "tqdm")
}

// The last line of the progress file that is not blank counts.
func TestFile(t *testing.T) {
	for content, row := range map[string]struct {
		percent float64
		text    string
	}{
		"0.42 resizing\n":             {42, "resizing"},
		"42/100 resizing":             {42, "resizing"},
		"42/100":                      {42, "42/100"},
		"42% resizing\r\n":            {42, "resizing"},
		"42%":                         {42, ""},
		"1/3 a\n2/4 b\n\n  \n":        {50, "b"},
		"@progress 42% resizing":      {42, "resizing"},
		`{"progress":0.5}`:            {50, ""},
		"resizing":                    {noPercent, "resizing"},
		"\x00\x00\x0042/100 torn\x00": {42, "torn"},
	} {
		d := progress.New(jobs.ProgressRule{}, start)
		d.File([]byte(content), start)
		check(t, content, d.Progress(start), row.percent, row.text, jobs.ProgressFile)
	}
	for _, content := range []string{"", "\n", " \r\n\t", "\x00\x00"} {
		d := progress.New(jobs.ProgressRule{}, start)
		d.File([]byte(content), start)
		if p := d.Progress(start); p != nil {
			t.Errorf("%q: got %s", content, show(p))
		}
	}
}

// A file that is emptied to be written anew keeps what it said.
func TestFileEmptied(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	d.File([]byte("1/2 a\n"), start)
	d.File(nil, after(time.Second))
	p := d.Progress(after(time.Second))
	want(t, p, 50, "a", jobs.ProgressFile)
	if !p.At.Equal(start) {
		t.Errorf("changed at %v, want %v", p.At, start)
	}
}

// The more trusted source counts once it has told something, whatever comes of
// the others later.
func TestTrust(t *testing.T) {
	d := progress.New(jobs.ProgressRule{Pattern: pattern(`step (?P<done>\d+) of (?P<total>\d+)`)}, start)
	at := start
	write := func(text string) {
		at = at.Add(time.Second)
		d.Write([]byte(text), at)
	}
	bar := "\r 10%|#         | 1/10 [00:01<00:09,  1.00it/s]\n"
	write(bar)
	want(t, d.Progress(at), 10, "1/10", "tqdm")
	write("step 2 of 10\n" + bar)
	want(t, d.Progress(at), 20, "step 2 of 10", jobs.ProgressPattern)
	write("@progress 3/10 said\nstep 9 of 10\n" + bar)
	want(t, d.Progress(at), 30, "said", jobs.ProgressSaid)
	d.File([]byte("4/10 filed"), at)
	write("@progress 9/10\nstep 9 of 10\n" + bar)
	want(t, d.Progress(at), 40, "filed", jobs.ProgressFile)
}

// A percentage alone on its line is believed before a tool once it has grown.
func TestLonePercentage(t *testing.T) {
	s := newScreen()
	s.draw("45%\n", tqdm("x", 1, 10), "\n45%\n", tqdm("x", 2, 10))
	want(t, s.now(), 20, "x 2/10", "tqdm")
	s.draw("\n46%\n", tqdm("x", 3, 10))
	want(t, s.now(), 46, "", jobs.ProgressSaid)
	s.draw("\n@progress 3%\n50%\n")
	want(t, s.now(), 3, "", jobs.ProgressSaid)
}

// Nothing is looked for if the type says so.
func TestOff(t *testing.T) {
	d := progress.New(jobs.ProgressRule{Off: true, Pattern: pattern(`(?P<percent>\d+)`)}, start)
	d.Write([]byte("@progress 42%\n\x1b]9;4;1;42\x07"), start)
	d.File([]byte("42%"), start)
	if p := d.Progress(start); p != nil {
		t.Errorf("got %s", show(p))
	}
}

// Text is one clean line of at most 200 bytes.
func TestLongText(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	d.Write([]byte("@progress 42% "+strings.Repeat("ü", 300)+"\n"), start)
	p := d.Progress(start)
	if len(p.Text) > 200 || len(p.Text) < 195 || !strings.HasSuffix(p.Text, "ü…") {
		t.Errorf("got %d bytes: %q", len(p.Text), p.Text)
	}
}
