package progress_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"testing"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// chunk is how much of a log is read at once.
const chunk = 64 << 10

// feed measures how long a line takes of a text that is read again and again.
func feed(b *testing.B, rule jobs.ProgressRule, text []byte) {
	b.Helper()
	lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r"))
	d := progress.New(rule, start)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		for i := 0; i < len(text); i += chunk {
			d.Write(text[i:min(len(text), i+chunk)], start)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(max(lines, 1)), "ns/line")
}

// repeat gives about a chunk of lines.
func repeat(line func(i int) string) []byte {
	var text []byte
	for i := 0; len(text) < chunk; i++ {
		text = append(text, line(i)...)
	}
	return text
}

func BenchmarkPlainLines(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(int) string {
		return "loading the tokenizer and the weights of the model from the cache\n"
	}))
}

func BenchmarkPlainLinesWithDigits(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(i int) string {
		return fmt.Sprintf("2026-11-28 10:12:%02d INFO app.worker: request %d took %d ms, code 200\n", i%60, i, i%97)
	}))
}

func BenchmarkPlainLinesWithPaths(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(i int) string {
		return fmt.Sprintf("2026/11/28 10:12:%02d GET /api/v1/jobs/%d/log HTTP/1.1 200 %d of them\n", i%60, i, i%97)
	}))
}

func BenchmarkPercentDecoys(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(i int) string {
		return fmt.Sprintf("step done, accuracy: %d%%, gpu memory 12.3 GB in use of all\n", i%100)
	}))
}

func BenchmarkColours(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(i int) string {
		return fmt.Sprintf("\x1b[32mINFO\x1b[0m \x1b[1mapp.worker\x1b[0m request %d took %d ms\n", i, i%97)
	}))
}

func BenchmarkTqdm(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(i int) string {
		return fmt.Sprintf("\rresizing: %3d%%|████▏     | %d/1000 [00:42<00:58,  1.00s/it]", i%100, i%100*10)
	}))
}

func BenchmarkGeneric(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(i int) string {
		return fmt.Sprintf("\rResizing  [#####-------------------------------]   %d%%  00:00:0%d", i%100, i%10)
	}))
}

func BenchmarkPattern(b *testing.B) {
	rule := jobs.ProgressRule{Pattern: regexp.MustCompile(`Countdown: (?P<left>[0-9]+)`)}
	feed(b, rule, repeat(func(i int) string { return fmt.Sprintf("Countdown: %d\n", 10000-i%10000) }))
}

func BenchmarkPatternMissed(b *testing.B) {
	rule := jobs.ProgressRule{Pattern: regexp.MustCompile(`Countdown: (?P<left>[0-9]+)`)}
	feed(b, rule, repeat(func(int) string { return "loading the tokenizer and the weights of the model from the cache\n" }))
}

func BenchmarkSaid(b *testing.B) {
	feed(b, jobs.ProgressRule{}, repeat(func(i int) string { return fmt.Sprintf("@progress %d/1000 resizing\n", i%1000) }))
}

// A line without an end.
func BenchmarkOneLine(b *testing.B) {
	feed(b, jobs.ProgressRule{}, bytes.Repeat([]byte("x 45% "), chunk/6))
}

// Nothing but carriage returns.
func BenchmarkReturns(b *testing.B) {
	feed(b, jobs.ProgressRule{}, bytes.Repeat([]byte("\r"), chunk))
}

func BenchmarkBinary(b *testing.B) {
	text := make([]byte, chunk)
	random := rand.NewChaCha8([32]byte{})
	random.Read(text)
	feed(b, jobs.ProgressRule{}, text)
}

// What gcc, apt and Python print.
func BenchmarkLogs(b *testing.B) {
	var text []byte
	for _, name := range []string{"apt", "gcc", "python"} {
		data, err := os.ReadFile("testdata/quiet/" + name + ".log")
		if err != nil {
			b.Fatal(err)
		}
		text = append(text, data...)
	}
	feed(b, jobs.ProgressRule{}, text)
}
