package progress_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

func pattern(expression string) *regexp.Regexp { return regexp.MustCompile(expression) }

// A type's pattern finds its groups in the lines, whatever stands around them.
func TestPattern(t *testing.T) {
	for _, row := range []struct {
		pattern, output string
		percent         float64
		text            string
	}{
		{`Countdown: (?P<left>\d+)`, "Countdown: 25\nCountdown: 20\n", 20, "Countdown: 20"},
		{`Countdown: (?P<left>\d+)`, "x\nCountdown: 25\ny\nCountdown: 0\nDone\n", 100, "Countdown: 0"},
		{`step (?P<done>\d+) of (?P<total>\d+)`, "[10:12] step 3 of 12 (loss 0.4)\n", 25, "step 3 of 12"},
		{`(?P<done>\S+) von (?P<total>\S+)`, "1,250 von 10,000\n", 12.5, "1,250 von 10,000"},
		{`(?P<done>\S+)/(?P<total>\S+) read`, "1.5k/6k read\n", 25, "1.5k/6k read"},
		{`(?P<percent>[0-9.]+) Prozent`, "zu 12.5 Prozent fertig\n", 12.5, "12.5 Prozent"},
		{`(?P<label>\w+): (?P<percent>\d+)`, "reading: 12\n", 12, "reading"},
		{`Countdown: (?P<left>\d+)`, "Countdown: 25\nCountdown: 1\nCountdown: 10\nCountdown: 8\n", 20, "Countdown: 8"},
		{`left=(?P<left>\d+)`, "left=20\nleft=10\nleft=12\n", 40, "left=12"},
		{`left=(?P<left>\d+)`, "left=20\nleft=10\nleft=40\nleft=30\n", 25, "left=30"},
		{`left=(?P<left>\d+)`, "left=0\n", noPercent, "left=0"},
		{`(?P<left>\d+) of (?P<total>\d+) left`, "30 of 40 left\n", 25, "30 of 40 left"},
		{`(?P<done>\d+) done, (?P<left>\d+) to go`, "10 done, 30 to go\n", 25, "10 done, 30 to go"},
		{`found (?P<total>\d+)|file (?P<done>\d+)`, "found 8\nfile 2\n", 25, "file 2"},
		{`a (?P<percent>\d+)|b (?P<percent>\d+)`, "b 7\n", 7, "b 7"},
		{`stage (?P<label>.*)`, "stage  one \n", noPercent, "one"},
		{`file (?P<done>\d+)|found (?P<total>\d+)`, "file 2\n", noPercent, "file 2"},
		{`(?P<percent>\S+) done`, "most done\n", noPercent, "most done"},
		{`n=(?P<done>\d+)/(?P<total>\d+)`, "n=3/0\n", noPercent, "n=3/0"},
		{`n=(?P<done>\d+)/(?P<total>\d+)`, "n=5/4\n", 100, "n=5/4"},
		{`^go (?P<percent>\d+)$`, "\x1b[1m  go 12 \x1b[0m\r\n", 12, "go 12"},
	} {
		d := progress.New(jobs.ProgressRule{Pattern: pattern(row.pattern)}, start)
		d.Write([]byte(row.output), start)
		check(t, row.pattern+" in "+row.output, d.Progress(start), row.percent, row.text, jobs.ProgressPattern)
	}
}

// A time left that a pattern finds counts for half a minute, less the time that
// has passed.
func TestPatternETA(t *testing.T) {
	for text, left := range map[string]time.Duration{
		"1:02:03": time.Hour + 2*time.Minute + 3*time.Second, "02:03": 123 * time.Second, "125:00": 125 * time.Minute,
		"1 day, 2:03:04": 26*time.Hour + 3*time.Minute + 4*time.Second, "2d 03:04:05": 51*time.Hour + 4*time.Minute + 5*time.Second,
		"2h3m": 2*time.Hour + 3*time.Minute, "1m 30s": 90 * time.Second, "45s": 45 * time.Second, "90": 90 * time.Second,
		"8.2s": 8 * time.Second, "1w2d": 9 * 24 * time.Hour, "3 min": 3 * time.Minute, "2 hours 1 minute": 121 * time.Minute,
		"?": -1, "--:--": -1, "soon": -1, "99999w": -1, "": -1,
	} {
		d := progress.New(jobs.ProgressRule{Pattern: pattern(`left (?P<eta>.*)$`)}, start)
		d.Write([]byte("left "+text+"\n"), start)
		p := d.Progress(after(2 * time.Second))
		switch {
		case p == nil:
			if text != "" {
				t.Errorf("%q: got nothing", text)
			}
		case left < 0 && p.ETA != nil:
			t.Errorf("%q: got %v", text, *p.ETA)
		case left >= 0 && (p.ETA == nil || *p.ETA != left-2*time.Second || p.ETASource != jobs.ProgressPattern):
			t.Errorf("%q: got %s, want %v", text, show(p), left-2*time.Second)
		}
		if p := d.Progress(after(31 * time.Second)); p != nil && p.ETA != nil {
			t.Errorf("%q, half a minute later: got %v", text, *p.ETA)
		}
	}
}

// What is left tells no share if the begin was not read: it might be half of
// what there was.
func TestPatternAfterGap(t *testing.T) {
	rule := jobs.ProgressRule{Pattern: pattern(`Countdown: (?P<left>\d+)`)}
	d := progress.New(rule, start)
	d.Skip()
	d.Write([]byte("down: 13\nCountdown: 12\nCountdown: 11\n"), start)
	check(t, "gap first", d.Progress(start), noPercent, "Countdown: 11", jobs.ProgressPattern)

	d = progress.New(rule, start)
	d.Write([]byte("Countdown: 25\nCountdown: 24\nCountdo"), start)
	d.Skip()
	d.Write([]byte("n: 1\nCountdown: 5\n"), start)
	want(t, d.Progress(start), 80, "Countdown: 5", jobs.ProgressPattern)
}

// A line is looked at for 512 bytes and no further.
func TestPatternInLongLine(t *testing.T) {
	rule := jobs.ProgressRule{Pattern: pattern(`done=(?P<percent>\d+)`)}
	for before, found := range map[int]bool{500: true, 600: false} {
		d := progress.New(rule, start)
		d.Write([]byte(strings.Repeat("x", before)+" done=42\n"), start)
		if got := d.Progress(start) != nil; got != found {
			t.Errorf("behind %d bytes: found %t", before, got)
		}
	}
}

// A number that falls is a new round.
func TestPatternNewRound(t *testing.T) {
	d := progress.New(jobs.ProgressRule{Pattern: pattern(`(?P<label>\w+) (?P<percent>\d+)`)}, start)
	for i := range 50 {
		d.Write([]byte("first "+itoa(2*i)+"\n"), after(time.Duration(i)*time.Second))
	}
	d.Write([]byte("second 1\n"), after(50*time.Second))
	p := d.Progress(after(50 * time.Second))
	want(t, p, 1, "second", jobs.ProgressPattern)
	if p.ETA != nil {
		t.Errorf("got %v left by the rate of the round before", *p.ETA)
	}
}
