package progress_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// Whatever a job writes, in whatever pieces, what is shown of it makes sense.
func FuzzDetector(f *testing.F) {
	files, err := filepath.Glob("testdata/*.log")
	if err != nil || len(files) == 0 {
		f.Fatalf("found %q, %v", files, err)
	}
	for i, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 1000)], uint16(i))
		f.Add(data[max(0, len(data)-1000):], uint16(7*i))
	}
	for name, pieces := range lineEnds {
		f.Add([]byte(strings.Join(pieces, "")), uint16(len(name)))
	}
	for i, line := range decoys {
		f.Add([]byte(line+"\n"+line+"\r"), uint16(i))
	}
	rules := []jobs.ProgressRule{
		{},
		{Pattern: pattern(`Countdown: (?P<left>[^ ]+)`)},
		{Pattern: pattern(`(?P<label>.*?)(?P<done>[\d.,eEkM-]+)\D+(?P<total>[\d.,eEkM-]+)(?P<eta>.*)`)},
		{Pattern: pattern(`(?P<percent>.+)%`)},
		{Off: true},
	}
	f.Fuzz(func(t *testing.T, data []byte, how uint16) {
		rule := rules[int(how)%len(rules)]
		size := 1 + int(how)%61
		d := progress.New(rule, start)
		for i := 0; i < len(data); i += size {
			at := after(time.Duration(i) * time.Duration(how) * time.Millisecond)
			d.Write(data[i:min(len(data), i+size)], at)
			if i%5 == 0 {
				sound(t, d.Progress(at.Add(time.Duration(how)*time.Millisecond)))
			}
			if how%7 == 3 && i%11 == 0 {
				d.Skip()
			}
		}
		if how%3 == 1 {
			d.File(data, after(time.Hour))
		}
		p := d.Progress(after(2 * time.Hour))
		sound(t, p)
		if rule.Off && p != nil {
			t.Errorf("got %s of a type that wants none", show(p))
		}
	})
}

// sound checks what is promised of every progress.
func sound(t *testing.T, p *jobs.Progress) {
	t.Helper()
	if p == nil {
		return
	}
	if p.Percent != nil && !(*p.Percent >= 0 && *p.Percent <= 100) {
		t.Errorf("got %v %%", *p.Percent)
	}
	if len(p.Text) > 200 || !utf8.ValidString(p.Text) || jobs.Sanitize(p.Text) != p.Text || strings.ContainsAny(p.Text, "\r\n\t") {
		t.Errorf("got the text %q", p.Text)
	}
	if p.Source == "" || p.At.IsZero() {
		t.Errorf("without source or time: %+v", p)
	}
	if (p.ETA == nil) != (p.ETASource == "") {
		t.Errorf("got the time left %v by %q", p.ETA, p.ETASource)
	}
	if p.ETA != nil && (*p.ETA < 0 || p.ETA.Hours() > 100*365*24 || math.IsNaN(p.ETA.Seconds())) {
		t.Errorf("got %v left", *p.ETA)
	}
}
