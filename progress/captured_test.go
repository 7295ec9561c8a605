package progress_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// captured says of each file in testdata what must be seen of it: the
// percentages, in this order, and what is shown at its end. They are found in
// the file by an expression of its own, which knows only this file: by a group
// that is the percentage, or by two that are done and total.
var captured = map[string]struct {
	shown  string    // the expression
	steps  []float64 // or the percentages themselves
	source string
	text   string // at the end
	eta    bool   // the tool tells a time left
}{
	"tqdm.pipe.log":            {shown: `(\d+)/(40) \[`, source: "tqdm", text: "resizing 40/40", eta: true},
	"tqdm.pty.log":             {shown: `(\d+)/(40) \[`, source: "tqdm", text: "resizing 40/40", eta: true},
	"tqdm-bytes.pipe.log":      {shown: ` (\d+)%`, source: "tqdm", text: "model.bin 5.00M/5.00M", eta: true},
	"tqdm-count.pipe.log":      {source: "tqdm", text: "reading 30it"},
	"tqdm-nested.pipe.log":     {shown: `epochs: +(\d+)%`, source: "tqdm", text: "epochs 4/4", eta: true},
	"tqdm-nested.pty.log":      {shown: `epochs: +(\d+)%`, source: "tqdm", text: "epochs 4/4", eta: true},
	"rich.pipe.log":            {steps: []float64{100}, source: "rich", text: "Working..."},
	"rich.pty.log":             {shown: `(\d+)%`, source: "rich", text: "Working...", eta: true},
	"rich-forced.pipe.log":     {shown: `(\d+)%`, source: "rich", text: "Working...", eta: true},
	"rich-several.pty.log":     {steps: []float64{0, 25, 50, 75, 100}, source: "rich", text: "All files", eta: true},
	"click.pipe.log":           {},
	"click.pty.log":            {shown: `(\d+)%`, source: "bar", text: "Resizing", eta: true},
	"progressbar.pipe.log":     {shown: `(\d+)%`, source: "bar", text: "Frames", eta: true},
	"enlighten.pty.log":        {shown: `(\d+)/(30) `, source: "tqdm", text: "Ticks 30/30", eta: true},
	"joblib.pipe.log":          {shown: `Done +(\d+) out of +(24)`, source: "joblib", text: "24/24", eta: true},
	"ffmpeg.pipe.log":          {shown: `time=00:00:(0\d\.\d\d)()`, source: "ffmpeg", eta: true},
	"ffmpeg.pty.log":           {shown: `time=00:00:(0\d\.\d\d)()`, source: "ffmpeg", eta: true},
	"ffmpeg-progress.pipe.log": {shown: `time=00:00:(0\d\.\d\d\d*)()`, source: "ffmpeg"},
	"wget.pipe.log":            {shown: `\. +(\d+)%`, source: "wget", eta: true},
	"wget.pty.log":             {shown: `(\d+)%\[`, source: "wget", text: "/dev/null", eta: true},
	"curl.pipe.log":            {shown: `\r *([1-9]\d*) 5859k`, source: "curl", eta: true},
	"curl.pty.log":             {shown: `\r *([1-9]\d*) 5859k`, source: "curl", eta: true},
	"curl-bar.pipe.log":        {shown: `(\d+\.\d)%`, source: "bar"},
	"aria2.pipe.log":           {shown: `\((\d+)%`, source: "aria2", eta: true},
	"aria2.pty.log":            {shown: `\((\d+)%`, source: "aria2", eta: true},
	"yt-dlp.pipe.log":          {shown: `([\d.]+)% of`, source: "yt-dlp", eta: true},
	"yt-dlp.pty.log":           {shown: `([\d.]+)%(?:\x1b\[0m)? of`, source: "yt-dlp", eta: true},
	"rsync.pipe.log":           {source: "rsync", text: "14/14 files", eta: true},
	"rsync-whole.pipe.log":     {shown: `(\d+)%`, source: "rsync", eta: true},
	"rsync-whole.pty.log":      {shown: `(\d+)%`, source: "rsync", eta: true},
	"pv.pipe.log":              {shown: `(\d+)%`, source: "pv", eta: true},
	"pv.pty.log":               {shown: `(\d+)%`, source: "pv", eta: true},
	"rclone.pipe.log":          {shown: `MiB, (\d+)%`, source: "rclone", eta: true},
	"rclone.pty.log":           {shown: `MiB, (\d+)%`, source: "rclone", eta: true},
	"rclone-verbose.pipe.log":  {shown: `MiB, (\d+)%`, source: "rclone", eta: true},
	"git.pipe.log":             {shown: `% \((\d+)/(402)\)`, source: "git", text: "Receiving objects 402/402"},
	"git.pty.log":              {shown: `% \((\d+)/(402)\)`, source: "git", text: "Receiving objects 402/402"},
	"cmake.pipe.log":           {shown: `\[ *(\d+)%\]`, source: "cmake", text: "Built target p"},
	"ninja.pipe.log":           {shown: `\[([2-9]|1\d)/(16)\]`, source: "ninja", text: "16/16 Linking C executable p"},
	"ninja.pty.log":            {shown: `\[([1-9]\d*)/(16)\]`, source: "ninja", text: "16/16 Linking C executable p"},
	"pytest.pipe.log":          {shown: `\[ *(\d+)%\]`, source: "pytest", text: "test_c.py"},
	"pytest.pty.log":           {shown: `\[ *(\d+)%\]`, source: "pytest", text: "test_c.py"},
	"pytest-verbose.pipe.log":  {shown: `\[ *(\d+)%\]`, source: "pytest", text: "test_c.py"},
	"snakemake.pipe.log":       {shown: `(\d+) of (7) steps`, source: "snakemake", text: "7/7"},

	"keras.pty.sample.log":           {steps: thirds(1, 15, 30, 45, 60), source: "epoch", text: "Epoch 3/3, 60/60"},
	"keras.pipe.sample.log":          {steps: thirds(1, 15, 30, 45, 60), source: "epoch", text: "Epoch 3/3, 60/60"},
	"keras2.pty.sample.log":          {steps: thirds(1, 15, 30, 45, 60), source: "epoch", text: "Epoch 3/3, 60/60"},
	"keras-verbose2.pipe.sample.log": {steps: thirds(60), source: "epoch", text: "Epoch 3/3, 60/60"},
	"lightning.pipe.sample.log":      {shown: `(\d+)%`, source: "tqdm", text: "Validation DataLoader 0 10/10", eta: true},
	"lightning-rich.pty.sample.log":  {steps: thirds(15, 30, 45, 60), source: "epoch", text: "Epoch 2/2, 100/100"},
	"torch.pipe.sample.log":          {shown: `\[(\d+)/(60000) `, source: "torch", text: "Train Epoch: 3 51200/60000"},
	"ultralytics.pipe.sample.log":    {steps: thirds(15, 30, 45, 60), source: "epoch", text: "3/3, 12/12"},
	"pip-raw.pipe.sample.log":        {shown: `Progress ([1-9]\d+) of (\d+)`, source: "count", text: "Progress 779146304 of 779146304"},
	"cargo.pty.sample.log":           {shown: `(\d+)/(50)`, source: "cargo", text: "48/50 serde, libc"},
}

// thirds are the percentages of three epochs of 60 steps, of which these are
// shown.
func thirds(steps ...int) []float64 {
	all := []float64{0}
	for epoch := range 3 {
		for _, step := range steps {
			all = append(all, float64(epoch*60+step)/1.8)
		}
	}
	return all
}

// What tools have written is followed from its begin to its end, byte by byte.
func TestCaptured(t *testing.T) {
	files, err := filepath.Glob("testdata/*.log")
	if err != nil {
		t.Fatal(err)
	}
	for name := range captured {
		if !slices.Contains(files, filepath.Join("testdata", name)) {
			t.Errorf("there is no testdata/%s", name)
		}
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			row, ok := captured[filepath.Base(path)]
			if !ok {
				t.Fatal("is not in the table")
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := row.steps
			if row.shown != "" {
				want = shown(t, row.shown, string(data))
			}
			if row.text == "14/14 files" {
				want = rsyncFiles(t, string(data))
			}
			got, last, eta := follow(data)
			if !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 0.01 }) {
				t.Errorf("shown were\n%v, want\n%v", got, want)
			}
			switch {
			case row.source == "" && last != nil:
				t.Errorf("got %+v, want nothing", last)
			case row.source == "":
			case last == nil:
				t.Error("got nothing")
			case last.Source != row.source || last.Text != row.text:
				t.Errorf("got at the end %q by %q, want %q by %q", last.Text, last.Source, row.text, row.source)
			case eta != row.eta:
				t.Errorf("a time left told by the tool itself: %t, want %t", eta, row.eta)
			}
		})
	}
}

// shown gives the percentages that an expression finds, each once.
func shown(t *testing.T, expression, data string) []float64 {
	t.Helper()
	var all []float64
	for _, m := range regexp.MustCompile(expression).FindAllStringSubmatch(data, -1) {
		percent := float(t, m[1])
		switch {
		case len(m) > 2 && m[2] == "": // seconds of six
			percent = min(percent/6.01*100, 100)
		case len(m) > 2:
			percent = percent / float(t, m[2]) * 100
		}
		if len(all) == 0 || all[len(all)-1] != percent {
			all = append(all, percent)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s finds nothing", expression)
	}
	return all
}

// rsyncFiles gives what rsync --progress tells: of the first file how much of it
// is there, for it does not say that there are others; then of the files.
func rsyncFiles(t *testing.T, data string) []float64 {
	t.Helper()
	var all []float64
	done := -1.0
	for _, m := range regexp.MustCompile(`(\d+)% +\S+ +\S+ +(?:\(xfr#\d+, to-chk=(\d+)/14)?`).FindAllStringSubmatch(data, -1) {
		percent := float(t, m[1])
		if done >= 0 {
			percent = (done + percent/100) / 14 * 100
		}
		all = append(all, percent)
		if m[2] != "" {
			if done = 14 - float(t, m[2]); len(all) == 3 {
				all = append(all, done/14*100)
			}
		}
	}
	return all
}

func float(t *testing.T, s string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// follow feeds a detector byte by byte and gives the percentages that were
// shown, what was shown last, and whether a tool told the time left.
func follow(data []byte) (percents []float64, last *jobs.Progress, eta bool) {
	d := progress.New(jobs.ProgressRule{}, start)
	for i := range data {
		at := after(time.Duration(i) * time.Millisecond)
		d.Write(data[i:i+1], at)
		last = d.Progress(at)
		if last == nil || last.Percent == nil {
			continue
		}
		if n := len(percents); n == 0 || percents[n-1] != *last.Percent {
			percents = append(percents, *last.Percent)
		}
		eta = eta || last.ETASource == last.Source && !strings.Contains(last.Source, jobs.ETARate)
	}
	return percents, last, eta
}
