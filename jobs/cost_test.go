package jobs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// text makes texts of about a given size.
type text int

// same repeats s.
func (size text) same(s string) string { return strings.Repeat(s, max(1, int(size)/len(s))) }

// each puts line after line, each by its number.
func (size text) each(format string, args ...func(i int) any) string {
	var b strings.Builder
	for i := 0; b.Len() < int(size); i++ {
		values := make([]any, len(args))
		for n, arg := range args {
			values[n] = arg(i)
		}
		fmt.Fprintf(&b, format, values...)
	}
	return b.String()
}

func number(i int) any { return i }
func next(i int) any   { return i + 1 }
func before(i int) any { return max(i-1, 0) }
func spaces(i int) any { return strings.Repeat(" ", i) }

// nastyYAML makes files that are slow to read for a parser that compares all
// with all.
func nastyYAML(size text) map[string]string {
	return map[string]string{
		"keys":           size.each("k%d: 1\n", number),
		"labels":         "type: none\nlabels:\n" + size.each(" k%d: 1\n", number),
		"flow keys":      "type: none\nlabels: {" + size.each("k%d: 1,", number) + "}",
		"arguments":      "type: free\nargs: [" + size.same("1,") + "]",
		"block":          "type: free\nargs:\n" + size.same("- 1\n"),
		"numbers":        "type: free\nargs: [" + size.same("1.5e3,") + "]",
		"dates":          "type: free\nargs: [" + size.same("2001-01-01,") + "]",
		"aliases":        "a: &a [1,1,1,1,1,1,1,1]\n" + size.each("b%d: &b%[1]d [*a,*a,*a,*a]\n", number),
		"alias bomb":     "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + size.each("a%d: &a%[1]d [*a%d,*a%[2]d,*a%[2]d,*a%[2]d]\n", next, number),
		"anchors":        size.each("- &a%d x\n", number),
		"merge":          "a: &a {b: c}\n" + size.each("c%d: {<<: *a}\n", number),
		"lists":          size.same("["),
		"closed lists":   "type: free\nargs: " + (size / 2).same("[") + (size / 2).same("]"),
		"mappings":       size.same("{"),
		"both":           size.same("[{"),
		"dashes":         size.same("- "),
		"dash lines":     size.same("-\n"),
		"questions":      size.same("? "),
		"flow questions": "{" + size.same("? ,"),
		"flow pairs":     "[" + size.same("a: b,"),
		"open key":       "{" + size.same("a "),
		"indent":         size.each("%sa:\n", spaces),
		"comments":       size.same("- a # b\n  # c\n\n# d\n"),
		"comments 2":     size.same("- #\n"),
		"comments 3":     "type: none\nargs:\n" + size.same("  # a\n\n"),
		"comments 4":     "type: none\nargs: [" + size.same("1, # a\n") + "]",
		"blank lines":    "type: none\n" + size.same("\n"),
		"documents":      size.same("---\n"),
		"requests":       size.same("---\ntype: none\n"),
		"bad requests":   size.same("---\ntype: none\nmaxx: 1\n"),
		"directives":     size.each("%%TAG !a%d! tag:a\n", number) + "---\na: b",
		"tags":           size.same("!<a> "),
		"tag":            "!" + size.same("%41") + " b",
		"folded":         "type: >\n" + size.same(" x\n\n"),
		"literal":        "type: |\n" + size.each("%s\n", spaces),
		"plain":          "type: " + size.same("x\n "),
		"quoted":         "type: \"" + size.same(`\u0041`) + "\"",
		"open quote":     "type: \"" + size.same("x\n"),
		"long key":       "? " + size.same("a") + "\n: b",
		"tabs":           size.same("\t"),
		"broken":         "type: none\nargs: [" + size.same("1,") + "]]",
		"digits":         "type: none\npriority: " + size.same("1"),
		"duration":       "type: none\ntimeout: " + size.same("1h"),
		"name":           "type: none\nname: " + size.same("é"),
		"ids":            "action: cancel\nids: [" + size.each("%08x,", number) + "]",
		"after":          "type: none\nafter: [" + size.each("%08x, ", number) + "]",
		"chain":          size.each("---\n{type: none, id: %08x-5ba5-4bd4-81e4-000000000000, after: [%08x]}\n", number, before),
		"circle":         "{type: none, name: a, after: [00000000]}\n" + size.each("---\n{type: none, id: %08x-5ba5-4bd4-81e4-000000000000, after: [%08x]}\n", number, next),
		"names":          "{type: none, name: n0}\n" + size.each("---\n{type: none, name: n%d, after: [n%d]}\n", next, number),
		"late name":      size.each("---\n{type: none, name: a%d, after: [last]}\n", number) + "---\n{type: none, name: last}",
		"braces":         "type: free\nargs: ['" + size.same("{") + "{a}']\nforeach: {a: [1]}",
		"placeholders":   "type: free\nargs: ['" + size.same("{a}") + "']\nforeach: {a: [1,2,3,4]}",
		"sweeps":         size.same("---\n{type: free, args: ['{a}'], foreach: {a: [1,2,3]}}\n"),
		"axes":           "type: free\nargs: ['" + (size/2).each("{a%d}", number) + "']\nforeach: {" + (size/2).each("a%d: [1], ", number) + "}",
		"unknown params": "type: none\nparams: {" + size.each("k%d: 1,", number) + "}",
	}
}

func nastyJSON(size text) map[string]string {
	return map[string]string{
		"keys":      `{"labels": {` + size.each(`"a%d": 1, `, number) + `"a": 1}, "type": "none"}`,
		"arguments": `{"type": "free", "args": [` + size.same("1,") + `1]}`,
		"lists":     size.same("["),
		"objects":   size.same(`{"a":`),
		"small":     size.same(`{}`),
		"numbers":   size.same("1 "),
		"requests":  size.same(`{"type":"none"}`),
		"escapes":   `"` + size.same(`\ud83d\ude00`) + `"`,
		"halves":    `"` + size.same(`\ud83d`) + `"`,
		"spaces":    `{"type": "free", "args": [` + size.same(" ") + `1]}`,
		"late end":  size.same("{\"type\":\"none\"}\n") + "x",
		"open":      `{"type": "` + size.same("a"),
	}
}

func nastyLines(size text) map[string]string {
	return map[string]string{
		"lines":        size.same("none\n"),
		"words":        "free " + size.same("1 "),
		"quotes":       "free " + size.same("'a' "),
		"open quotes":  size.same("'\n"),
		"backslashes":  "free " + size.same(`\ `),
		"nested":       `"` + size.same(`\\`) + ` "`,
		"one word":     size.same("\"free 1\"\n"),
		"returns":      size.same("none\r"),
		"NUL and mark": size.same("\x00\xef\xbb\xbf") + "none",
		"wide":         size.same("n\x00o\x00n\x00e\x00\n\x00"),
		"no UTF-8":     size.same("\xff\n"),
		"bad":          size.same("nope 1\n"),
		"scripts":      size.each("c%d.py 1\n", number),
		"same id":      size.same(someID + " none - PENDING\n"),
		"history":      size.each("%08x-5ba5-4bd4-81e4-000000000000 gone.py 1 COMPLETED\n", number),
		"commands":     "cancel " + size.each("%08x ", number),
	}
}

// nasty are all of them, by the name of the file.
func nasty(size text) map[string]string {
	all := map[string]string{}
	for ext, texts := range map[string]map[string]string{
		".yaml": nastyYAML(size), ".json": nastyJSON(size), ".txt": nastyLines(size),
	} {
		for name, text := range texts {
			all[name+ext] = text
		}
	}
	return all
}

// examine reads a file and holds it against the types, as the inbox does.
func examine(c *jobs.Catalog, name, text string) time.Duration {
	begin := processorTime()
	c.Entries(jobs.ParseFile(name, []byte(text)), func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) })
	return processorTime() - begin
}

// growth gives how many times longer eight times the text takes, the least of
// some tries: the collector of memory may come at any time.
func growth(c *jobs.Catalog, name string, small, large map[string]string, tries int) (times float64, long time.Duration) {
	short, long := examine(c, name, small[name]), examine(c, name, large[name])
	for range tries - 1 {
		short, long = min(short, examine(c, name, small[name])), min(long, examine(c, name, large[name]))
	}
	return float64(long) / float64(max(short, time.Microsecond)), long
}

// Whatever is in a request, it is read in proportion to its size: eight times
// the text takes less than twenty times as long. Comparing all with all would
// take sixty-four times. What looks suspicious in small is tried in large. With
// JOBRUNNER_SOAK=1 all are tried with as much as people may set
// max_request_size to: 1 MiB.
func TestReadingTakesTimeInProportion(t *testing.T) {
	const suspicious, bound = 12, 20
	noise := 4 * time.Millisecond
	size, confirm := text(jobs.MaxRequestSize/2), text(4*jobs.MaxRequestSize)
	if os.Getenv("JOBRUNNER_SOAK") == "1" {
		size, confirm, noise = 1<<20, 1<<20, 30*time.Millisecond
	}
	c := testCatalog(t)
	var slowest time.Duration
	small, large := nasty(size/8), nasty(size)
	for name := range large {
		times, long := growth(c, name, small, large, 1)
		slowest = max(slowest, long)
		if times < suspicious || long < noise {
			continue
		}
		times, long = growth(c, name, nasty(confirm/8), nasty(confirm), 3)
		if times > bound && long > noise {
			t.Errorf("%s: %s, %.0f times what an eighth of it took", name, long, times)
		}
	}
	t.Logf("%d files of %d KiB, the slowest in %s", len(large), size>>10, slowest)
}

func BenchmarkNasty(b *testing.B) {
	c := testCatalog(b)
	for name, text := range nasty(jobs.MaxRequestSize) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				examine(c, name, text)
			}
		})
	}
	small := "type: x\nargs: [" + strings.Repeat("1,", 900) + "]]" // its error is located
	b.Run("broken small", func(b *testing.B) {
		for b.Loop() {
			jobs.ParseYAML([]byte(small), "a.yaml")
		}
	})
}
