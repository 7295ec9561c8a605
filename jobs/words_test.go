package jobs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"

	"jobrunner/jobs"
)

func TestWords(t *testing.T) {
	plain := func(list ...string) (words []jobs.Word) {
		for _, s := range list {
			words = append(words, jobs.Word{Text: s})
		}
		return words
	}
	quoted := func(s string) jobs.Word { return jobs.Word{Text: s, Quoted: true} }
	for _, tt := range []struct {
		line string
		want []jobs.Word
	}{
		{"", nil},
		{" \t ", nil},
		{"countdown.py 25", plain("countdown.py", "25")},
		{"  a\t b  ", plain("a", "b")},
		{`a 'b c' d`, []jobs.Word{{Text: "a"}, quoted("b c"), {Text: "d"}}},
		{`"b c"`, []jobs.Word{quoted("b c")}},
		{`'' ""`, []jobs.Word{quoted(""), quoted("")}},
		{`a'b 'c"d e"`, []jobs.Word{quoted("ab cd e")}},
		{`'a\b\'c`, []jobs.Word{quoted(`a\b\c`)}},
		{`"a\"b\\c\d\$"`, []jobs.Word{quoted(`a"b\c\d\$`)}},
		{`jobs\countdown.py`, plain(`jobs\countdown.py`)},
		{`C:\new\table \n`, plain(`C:\new\table`, `\n`)},
		{`a\ b \' \" \\`, []jobs.Word{quoted("a b"), quoted("'"), quoted(`"`), quoted(`\`)}},
		{`a\`, plain(`a\`)},
		{"$HOME `id` $(id) *.py ~ a;b|c>d&", plain("$HOME", "`id`", "$(id)", "*.py", "~", "a;b|c>d&")},
		{"a #b", plain("a", "#b")},
		{"é\u00a0x 中", plain("é\u00a0x", "中")},
	} {
		got, err := jobs.Words(tt.line)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("Words(%q) = %+v, %v; want %+v", tt.line, got, err, tt.want)
		}
	}
}

func TestWordsUnclosedQuote(t *testing.T) {
	for _, tt := range []struct {
		line   string
		column int
		kind   string
	}{
		{`a 'b c`, 3, "single quote"},
		{`é "b`, 3, "double quote"},
		{`it's`, 3, "single quote"},
		{`"a\"`, 1, "double quote"},
		{`'`, 1, "single quote"},
	} {
		_, err := jobs.Words(tt.line)
		var f *jobs.Fault
		if !errors.As(err, &f) || f.Column != tt.column || !strings.Contains(f.Message, tt.kind) {
			t.Errorf("Words(%q) error = %v; want an unclosed %s at column %d", tt.line, err, tt.kind, tt.column)
		}
	}
}

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{
		"25":          "25",
		"a/b_c-d.py":  "a/b_c-d.py",
		"":            "''",
		"a b":         "'a b'",
		"it's":        `'it'\''s'`,
		`a\b`:         `'a\b'`,
		"$HOME":       "'$HOME'",
		"#x":          "'#x'",
		"a;b":         "'a;b'",
		"中文":          "中文",
		"a\u3000b":    "'a\u3000b'",
		`say "hello"`: `'say "hello"'`,
	} {
		if got := jobs.Quote(arg); got != want {
			t.Errorf("Quote(%q) = %s, want %s", arg, got, want)
		}
	}
}

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "25", "a b", "it's", `'\''`, `\`, `a\ b`, `"\"`, "-", "PENDING", "中 文", "\t", "$(id)", "\xff"} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got, err := jobs.Words(jobs.Quote(a) + " " + jobs.Quote(b))
		if err != nil || len(got) != 2 || got[0].Text != a || got[1].Text != b {
			t.Fatalf("Words(Quote(%q) Quote(%q)) = %+v, %v", a, b, got, err)
		}
	})
}

func TestSanitize(t *testing.T) {
	for s, want := range map[string]string{
		"countdown.py 25":        "countdown.py 25",
		"é 中 \U0001f600":         "é 中 \U0001f600",
		"a\x00b\x1b[31m\r\n\t":   "a?b?[31m???",
		"\x7f\u0080\u0085\u009f": "????",
		"a\u202eb\u2066\u200f":   "a?b??",
		"a\u2028b\u2029":         "a?b?",
		"a\xffb\xc3":             "a?b?",
		"\ufffd":                 "\ufffd",
		"":                       "",
	} {
		if got := jobs.Sanitize(s); got != want {
			t.Errorf("Sanitize(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestSanitizeLeavesNothingUnprintable(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		got := jobs.Sanitize(string(r))
		if bad := unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029; bad != (got == "?" && r != '?') {
			t.Errorf("Sanitize(%U) = %q", r, got)
		}
	}
}

func TestMatch(t *testing.T) {
	known := []string{"countdown", "python", "train", "go"}
	for word, want := range map[string]string{
		"cuntdown":               "countdown",
		"Countdown":              "countdown",
		"countdonw":              "countdown",
		"pyhton":                 "python",
		"trian":                  "train",
		"shutdown-everything":    "",
		"x":                      "",
		"":                       "",
		"og":                     "go",
		strings.Repeat("a", 999): "",
	} {
		if got := jobs.Match(word, known); got != want {
			t.Errorf("Match(%q) = %q, want %q", word, got, want)
		}
	}
	if got := jobs.Match("args", nil); got != "" {
		t.Errorf("Match without known words = %q, want none", got)
	}
}
