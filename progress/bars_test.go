package progress_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// screen feeds a detector with what a program draws, a second a piece.
type screen struct {
	d  *progress.Detector
	at time.Time
}

func newScreen() *screen { return &screen{progress.New(jobs.ProgressRule{}, start), start} }

func (s *screen) draw(pieces ...string) {
	for _, piece := range pieces {
		s.at = s.at.Add(time.Second)
		s.d.Write([]byte(piece), s.at)
	}
}

func (s *screen) now() *jobs.Progress { return s.d.Progress(s.at) }

// tqdm is a bar as tqdm draws it.
func tqdm(label string, done, total int) string {
	return fmt.Sprintf("\r%s: %3d%%|%-10s| %d/%d [00:01<00:09,  1.00it/s]", label, done*100/total, strings.Repeat("#", done*10/total), done, total)
}

// richBar is a bar as rich draws it; several of them are lines that are drawn
// again and again.
func richBar(label string, percent int) string {
	return fmt.Sprintf("%s ━━━━━━━━━━╸━━━━━━━━━ %3d%% 0:00:09", label, percent)
}

// Of loops in loops the outer one is shown, until it has come to its end.
func TestNested(t *testing.T) {
	s := newScreen()
	s.draw(tqdm("runs", 0, 3) + "\n")
	for run := range 3 {
		for _, step := range []int{0, 20, 40} {
			s.draw(tqdm("steps", step, 40) + "\x1b[A")
			want(t, s.now(), float64(run)/3*100, fmt.Sprintf("runs %d/3", run), "tqdm")
		}
		s.draw(tqdm("runs", run+1, 3) + "\n")
	}
	want(t, s.now(), 100, "runs 3/3", "tqdm")
}

// One after the other each is shown, also if the first was left unfinished.
func TestOneAfterTheOther(t *testing.T) {
	s := newScreen()
	s.draw(tqdm("download", 0, 10), tqdm("download", 5, 10), tqdm("download", 10, 10)+"\n", tqdm("train", 0, 7))
	want(t, s.now(), 0, "train 0/7", "tqdm")
	s.draw(tqdm("train", 6, 7) + "\n")
	for i := range 80 {
		s.draw(tqdm("test", i, 100))
	}
	want(t, s.now(), 79, "test 79/100", "tqdm")
}

// A label may tell of losses, and its digits change all the time.
func TestChangingLabel(t *testing.T) {
	s := newScreen()
	for epoch := range 3 {
		for i := range 9 {
			s.draw(tqdm(fmt.Sprintf("epoch %d loss 0.%d", epoch, 9-i), i, 10))
			if i > 2 {
				want(t, s.now(), float64(i)*10, fmt.Sprintf("epoch %d loss 0.%d %d/10", epoch, 9-i, i), "tqdm")
			}
		}
	}
}

// Bars that run beside each other do not take each other's place.
func TestSideBySide(t *testing.T) {
	s := newScreen()
	for i := range 30 {
		s.draw(richBar("file 1", i) + "\n\x1b[2K" + richBar("file 2", 2*i) + "\n\x1b[2K" + richBar("file 3", 3*i) + "\r\x1b[2K\x1b[1A\x1b[2K\x1b[1A\x1b[2K")
		if i > 1 {
			want(t, s.now(), float64(i), "file 1", "rich")
		}
	}
	for range 9 { // the first one is gone
		s.draw(richBar("file 2", 70) + "\n" + richBar("file 3", 95) + "\r\x1b[2K\x1b[1A\x1b[2K")
	}
	want(t, s.now(), 70, "file 2", "rich")
}

// A loop within another that was there before is within all the same.
func TestSeenBefore(t *testing.T) {
	s := newScreen()
	s.draw(tqdm("download", 1, 2), tqdm("download", 2, 2)+"\n", tqdm("epochs", 1, 4)+"\n")
	for epoch := 1; epoch < 4; epoch++ {
		s.draw(tqdm("download", 1, 2), tqdm("download", 2, 2)+"\n", tqdm("steps", 1, 3), tqdm("steps", 2, 3))
		want(t, s.now(), float64(epoch)*25, fmt.Sprintf("epochs %d/4", epoch), "tqdm")
		s.draw(tqdm("epochs", epoch+1, 4) + "\n")
	}
}

// More bars than are followed do no harm to the outer one.
func TestManyBars(t *testing.T) {
	s := newScreen()
	for i := range 50 {
		var b strings.Builder
		b.WriteString(richBar("all", i))
		for worker := range 20 {
			b.WriteString("\n\x1b[2K" + richBar(fmt.Sprintf("worker %d", worker), (i*(worker+1))%100))
		}
		s.draw(b.String() + "\r" + strings.Repeat("\x1b[1A\x1b[2K", 20))
	}
	want(t, s.now(), 49, "all", "rich")
	for i := range 50 { // bars of all kinds, one after the other
		s.draw(tqdm("kind "+strings.Repeat("x", i), 1, 10+i) + "\n")
	}
	if p := s.now(); p == nil {
		t.Error("got nothing")
	}
}

// A bar that is not drawn any more while others are was left.
func TestStale(t *testing.T) {
	s := newScreen()
	for i := range 10 {
		s.draw(tqdm("old", i, 100))
	}
	s.draw("\n" + tqdm("new", 1, 50))
	want(t, s.now(), 9, "old 9/100", "tqdm")
	s.at = s.at.Add(2 * time.Minute)
	s.draw(tqdm("new", 2, 50))
	want(t, s.now(), 4, "new 2/50", "tqdm")
}

// A line that names the epoch and a bar within go together.
func TestEpochs(t *testing.T) {
	for name, row := range map[string]struct {
		output  string
		percent float64
		text    string
	}{
		"at its begin":       {"Epoch 3/10\n", 20, "Epoch 3/10"},
		"at its end":         {"Epoch 3/10 loss: 0.4\n", 30, "Epoch 3/10"},
		"behind a time":      {"2026-11-28 10:12:13 Epoch [3/10]\n", 20, "Epoch [3/10]"},
		"in words":           {"epoch 3 of 10, lr 0.1\n", 30, "epoch 3 of 10"},
		"with a bar":         {"Epoch 3/10\n" + tqdm("train", 5, 10), 25, "Epoch 3/10, train 5/10"},
		"with two bars":      {"Epoch 3/10\n" + tqdm("train", 10, 10) + "\n" + tqdm("val", 1, 4), 30, "Epoch 3/10, train 10/10"},
		"the next one":       {"Epoch 3/10\n" + tqdm("train", 10, 10) + "\nEpoch 4/10\n", 30, "Epoch 4/10"},
		"begin and end":      {"Epoch 3/10\n" + tqdm("train", 10, 10) + "\nEpoch 3/10 loss: 0.4\n", 30, "Epoch 3/10"},
		"counted from 0":     {"epoch 0/10\nepoch 3/10\n", 30, "epoch 3/10"},
		"from 0, at its end": {"epoch 0/10 loss 1.0\nepoch 3/10 loss 0.4\n", 40, "epoch 3/10"},
		"in the label":       {tqdm("Epoch 3/10", 5, 10), 25, "Epoch 3/10, 5/10"},
		"in the label, at 0": {tqdm("Epoch 0/9", 5, 10) + tqdm("Epoch 3/9", 5, 10), 35, "Epoch 3/9, 5/10"},
		"all":                {"Epoch 10/10\n" + tqdm("train", 10, 10), 100, "Epoch 10/10, train 10/10"},
	} {
		s := newScreen()
		s.draw(row.output)
		t.Run(name, func(t *testing.T) { want(t, s.now(), row.percent, row.text, "epoch") })
	}
}

// When the training is over, what comes then is shown.
func TestAfterEpochs(t *testing.T) {
	s := newScreen()
	s.draw("Epoch 1/1\n", tqdm("run", 5, 10), tqdm("run", 10, 10)+"\n", tqdm("run", 1, 10))
	want(t, s.now(), 10, "run 1/10", "tqdm")
}

// Counted lines of which nothing is known count once they have grown.
func TestCounter(t *testing.T) {
	for _, row := range []struct{ line, text string }{
		{"Processing file %d/20: a.bin", "file %d/20"},
		{"[INFO] step %d/20 loss=0.4", "step %d/20"},
		{"Iteration: %d of 20", "Iteration: %d of 20"},
		{"copied %d/20", "copied %d/20"},
		{"%d/20 images converted", "%d/20 images"},
		{"%d of 20 tasks done", "%d of 20 tasks"},
		{"2026/11/28 10:12:13 batch (%d/20)", "batch (%d/20)"},
	} {
		s := newScreen()
		for i := 3; i < 6; i++ {
			p := s.now()
			if p != nil && i == 4 {
				t.Errorf("%q, once: got %s", row.line, show(p))
			}
			s.draw(fmt.Sprintf(row.line, i) + "\n")
		}
		t.Run(row.line, func(t *testing.T) { want(t, s.now(), 25, fmt.Sprintf(row.text, 5), "count") })
	}
}

// Percentages of which no tool is known count where they are drawn, or beside
// words that say what they are.
func TestGeneric(t *testing.T) {
	for _, row := range []struct{ output, text string }{
		{"\rReading 41%\rReading 42%", "Reading"},
		{"\rcopy [=====>     ] 42% of all", "copy"},
		{"42% [======    ] copy\n", ""},
		{"|#####-----| 42%\n", ""},
		{"[=>        ] 42%\n", ""},
		{"copy: ████░░░░ 42 %\n", "copy"},
		{"\x1b[3;1H10:12 42% done\x1b[3;1H", "10:12"},
		{"\x1b[2K\x1b[1Ga 42%\x1b[2K\x1b[1G", "a"},
		{"Progress: 10%\nProgress: 42%\n", "Progress"},
		{"10% complete\n42 % complete (3 left)\n", ""},
		{"  10.5 % done\n  42.0 % done\n", ""},
	} {
		s := newScreen()
		s.draw(row.output)
		s.at = s.at.Add(2 * time.Second)
		t.Run(row.output, func(t *testing.T) { want(t, s.now(), 42, row.text, "bar") })
	}
}

// A word that is written where a bar was is no bar, but its end is.
func TestWordsBetween(t *testing.T) {
	s := newScreen()
	s.draw("\rcopy 10%\r", "\r          \raccuracy: 45%\n", "\rcopy 20%\r ")
	want(t, s.now(), 20, "copy", "bar")
	s.draw("\rcopy 30%\r", "\r         \raccuracy: 99%\n")
	want(t, s.now(), 30, "copy", "bar")
	s.draw("\rcopy 40%\r", "copy 100%\n")
	want(t, s.now(), 100, "copy", "bar")

	s = newScreen()
	s.draw(tqdm("train", 1, 10), "\r"+strings.Repeat(" ", 60)+"\raccuracy: 45%\n", tqdm("train", 2, 10))
	want(t, s.now(), 20, "train 2/10", "tqdm")
}

// The times that bars tell of which no tool is known.
func TestGenericETA(t *testing.T) {
	for line, left := range map[string]time.Duration{
		"a [##--] 42% ETA: 0:01:02": 62 * time.Second,
		"a [##--] 42% eta 1m 2s":    62 * time.Second,
		"a [##--] 42%  1d 00:00:02": 24*time.Hour + 2*time.Second,
		"a [##--] 42% 10s left":     -1,
	} {
		s := newScreen()
		s.draw("\r" + line + "\r ")
		p := s.now()
		if p == nil || (p.ETA != nil) != (left >= 0) || p.ETA != nil && *p.ETA != left {
			t.Errorf("%q: got %s, want %v", line, show(p), left)
		}
	}
}

// Without a total there is a number, and no percentage.
func TestCountOnly(t *testing.T) {
	s := newScreen()
	s.draw("\rread: 120it [00:12, 10.00it/s]", "\rread: 130it [00:13, 10.00it/s]")
	p := s.now()
	if p == nil || p.Percent != nil || p.ETA != nil || p.Text != "read 130it" {
		t.Errorf("got %s", show(p))
	}
}

// The second input of ffmpeg is longer; a second run is another one.
func TestFfmpegInputs(t *testing.T) {
	const line = "frame=  100 fps= 25 q=28.0 size=     512kB time=00:00:10.00 bitrate=1048.6kbits/s speed=2x    \r"
	s := newScreen()
	s.draw("  Duration: 00:00:05.00, start: 0\n  Duration: 00:00:40.00, start: 0\n", line)
	p := s.now()
	want(t, p, 25, "", "ffmpeg")
	if p.ETA == nil || *p.ETA != 15*time.Second {
		t.Errorf("got %s, want 15s left", show(p))
	}
	s.draw("  Duration: 00:00:20.00, start: 0\n", line)
	want(t, s.now(), 50, "", "ffmpeg")
	s.draw("frame=  100 fps= 25 q=28.0 size=N/A time=N/A bitrate=N/A speed=N/A\r")
	want(t, s.now(), 50, "", "ffmpeg")
}
