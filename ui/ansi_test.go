package ui_test

import (
	"flag"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"jobrunner/jobs"
	"jobrunner/ui"
)

var update = flag.Bool("update", false, "write what is drawn of testdata/output anew")

// What tools wrote to a pipe or, by script(1), to a terminal.
func TestOutputIsDrawnAsByATerminal(t *testing.T) {
	files, err := filepath.Glob("testdata/output/*.raw")
	if err != nil || len(files) < 5 {
		t.Fatalf("got %q, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(ui.Drawn(data), "\n")
		golden := strings.TrimSuffix(file, "raw") + "html"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is drawn as\n%s\nwant\n%s", file, got, want)
		}
	}
}

func TestOutputIsDrawn(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "one\ntwo", "one\ntwo"},
		{"escaped", `<b a="1">&amp;</b>`, `&lt;b a="1"&gt;&amp;amp;&lt;/b&gt;`},
		{"colour", "\x1b[31mred\x1b[0m plain", `<i class="f1">red</i> plain`},
		{"bright, bold", "\x1b[1;92mok\x1b[m", `<i class="f2 em">ok</i>`},
		{"over the line's end", "\x1b[33mone\ntwo\x1b[39m!", `<i class="f3">one</i>` + "\n" + `<i class="f3">two</i>!`},
		{"background decides", "\x1b[37;41mFAIL\x1b[0m", `<i class="b1">FAIL</i>`},
		{"reversed", "\x1b[7mx\x1b[27m\x1b[7;32my", `<i class="b8">x</i><i class="b2">y</i>`},
		{"black and white are plain", "\x1b[30ma\x1b[37mb\x1b[97mc", "abc"},
		{"faint", "\x1b[2mx\x1b[22m\x1b[2;31my", `<i class="f7">x</i><i class="f1">y</i>`},
		{"flags", "\x1b[1;3;4;9mx\x1b[22;23;24;29my", `<i class="em it un st">x</i>y`},
		{"256 colours", "\x1b[38;5;208ma\x1b[38;5;21mb\x1b[38;5;244mc\x1b[38;5;255md\x1b[48;5;196me", `<i class="f3">a</i><i class="f4">b</i><i class="f7">c</i>d<i class="b1">e</i>`},
		{"true colours", "\x1b[38;2;255;0;255ma\x1b[38:2::0:200:200mb\x1b[38:2:0:200:0mc\x1b[38;2;1;2;3md", `<i class="f5">a</i><i class="f6">b</i><i class="f2">c</i>d`},
		{"colour and more in one", "\x1b[38;5;9;1;4mx", `<i class="f1 em un">x</i>`},
		{"curly underline", "\x1b[4:3mx\x1b[4:0my", `<i class="un">x</i>y`},
		{"unknown parameters", "\x1b[;mx\x1b[999my\x1b[38mz\x1b[31;?1m", "xyz"},
		{"a bar", "\r  0%\r 50%\r100%\ndone", "100%\ndone"},
		{"windows line ends", "one\r\ntwo\r\n", "one\ntwo\n"},
		{"what a shorter line leaves", "abcdef\rxy", "xycdef"},
		{"cleared to the end", "abcdef\r\x1b[Kxy", "xy"},
		{"cleared to the cursor", "abcdef\b\b\x1b[1Kx", "    xf"},
		{"cleared whole", "abc\x1b[2Kd", "   d"},
		{"backspaces", "50%\b\b\b60%", "60%"},
		{"backspaces at the edge", "a\b\b\bb", "b"},
		{"up and down", "one\ntwo\nthree\x1b[2A\rONE\x1b[B\rTWO\n", "ONE\nTWO\nthree"},
		{"up to the beginning of a line", "one\ntwo\x1b[1FX", "Xne\ntwo"},
		{"two bars", "a 0\nb 0\n\x1b[2Aa 1\nb 1\n\x1b[2Aa 2\nb 2\n", "a 2\nb 2\n"},
		{"cleared below", "a\nb\nc\x1b[2A\r\x1b[Jx", "x\n\n"},
		{"no further up than there is", "a\x1b[9999Ab", "ab"},
		{"columns", "a\x1b[3Cb\x1b[2Gc\x1b[Dd", "ad  b"},
		{"far right", "\x1b[99999Cx", "         x"}, // no more room than was fed
		{"links", "\x1b]8;;http://evil.example\x07text\x1b]8;;\x1b\\ more", "text more"},
		{"titles", "\x1b]0;a title\x07x\x1bPq#0;2\x1b\\y\x1b_z\x1b\\", "xy"},
		{"pictures", "\x1b]1338;url=http://evil.example/x.png\x07x\x1b]1337;File=inline=1:AAAA\x07", "x"},
		{"a string without end", "a\x1b]0;title", "a"},
		{"a broken string", "a\x1b]0;ti\x1b[31mtle", `a<i class="f1">tle</i>`},
		{"modes", "\x1b[?25l\x1b[?2004hx\x1b[>4;2my\x1b(B\x1b7\x1b=z", "xyz"},
		{"a broken sequence", "a\x1b[31\nb", "a\nb"},
		{"a lone escape", "a\x1b", "a"},
		{"controls", "a\x00b\x07c\x7fd\x01", "a␀bc␡d␁"},
		{"C1, bidi, separators", "a\u0085b\u202ec\u2028d", "a\uFFFDb\uFFFDc\uFFFDd"},
		{"no UTF-8", "a\xffb\xe2\x82", "a\uFFFDb\uFFFD\uFFFD"},
		{"letters", "żółw 漢字 🐢\ttab", "żółw 漢字 🐢\ttab"},
		{"trailing blanks", "x   \n\x1b[41m  \x1b[0m  ", "x\n" + `<i class="b1">  </i>`},
	}
	for _, tt := range tests {
		if got := strings.Join(ui.Drawn([]byte(tt.in)), "\n"); got != tt.want {
			t.Errorf("%s: %q is drawn as\n%s\nwant\n%s", tt.name, tt.in, got, tt.want)
		}
	}
}

// ours are the only tags that may be drawn.
var ours = regexp.MustCompile(`<i class="(?:[fb][1-8] ?)?(?:(?:em|it|un|st) ?)*">|</i>`)

func FuzzOutputIsDrawn(f *testing.F) {
	files, err := filepath.Glob("testdata/output/*.raw")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 2000)])
	}
	f.Add([]byte("\x1b[38;2;1:2;;999999999999999999999m\x1b[;;;1;41;3;4;9m<\x1b[7m>\x1b[0m&\x1b[m\x1b[200Cx\x1b[A\x1b[Kx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows := ui.Drawn(data)
		drawn := strings.Join(rows, "\n")
		if len(drawn) > 8*len(data) {
			t.Errorf("%d bytes are drawn as %d", len(data), len(drawn))
		}
		if n := strings.Count(drawn, "\n"); n > strings.Count(string(data), "\n") {
			t.Errorf("%q is drawn in %d rows", data, n+1)
		}
		text := ours.ReplaceAllString(drawn, "")
		if strings.ContainsAny(text, "<>") || strings.Count(drawn, "<i ") != strings.Count(drawn, "</i>") {
			t.Errorf("%q is drawn with tags of its own: %s", data, drawn)
		}
		if plain := strings.NewReplacer("\n", "", "\t", "").Replace(html.UnescapeString(text)); plain != jobs.Sanitize(plain) || !utf8.ValidString(plain) {
			t.Errorf("%q is drawn with what is no text: %q", data, plain)
		}
	})
}

func BenchmarkOutputIsDrawn(b *testing.B) {
	data, err := os.ReadFile("testdata/output/rich.raw")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		ui.Drawn(data)
	}
}
