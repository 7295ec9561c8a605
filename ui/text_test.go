package ui_test

import (
	"html/template"
	"strings"
	"testing"
	"time"

	"jobrunner/ui"
)

func TestFitBoundsEscapedBytes(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{"", 10, ""},
		{"short", 10, "short"},
		{"exactly 10", 10, "exactly 10"},
		{"eleven byte", 10, "eleven …"}, // "…" has three bytes
		{"<<<<", 16, "<<<<"},
		{"<<<<<", 16, "<<<…"},
		{"äöüäöü", 10, "äöü…"},
		{"🙂🙂🙂🙂", 11, "🙂🙂…"},
	}
	for _, tt := range tests {
		got := ui.Fit(tt.in, tt.limit)
		if got != tt.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func FuzzCleanIsBounded(f *testing.F) {
	f.Add("plain", 10)
	f.Add("<&\"'+>\x00\u202e\xff\U0001F642", 12)
	f.Add(strings.Repeat("+", 100), 50)
	page := template.Must(template.New("").Parse("{{.}}"))
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 8 || limit > 1000 {
			t.Skip()
		}
		log, _ := ui.CleanLog([]byte(s), limit)
		for name, text := range map[string]string{"Clean": ui.Clean(s, limit), "CleanLog": log} {
			var b strings.Builder
			if err := page.Execute(&b, text); err != nil {
				t.Fatal(err)
			}
			if b.Len() > limit {
				t.Errorf("%s(%q, %d) escapes to %d bytes", name, s, limit, b.Len())
			}
			if strings.ContainsAny(b.String(), "\x00\x1b\r\u0085\u202e\u2028") {
				t.Errorf("%s(%q, %d) = %q", name, s, limit, text)
			}
		}
	})
}

func TestCleanLog(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct {
		name, in, want string
		limit          int
		cut            bool
	}{
		{"plain", "a\nb\n", "a\nb\n", 100, false},
		{"windows", "a\r\nb\r\n", "a\nb\n", 100, false},
		{"redrawn", " 10%\r 50%\r100%\ndone\n", "100%\ndone\n", 100, false},
		{"redrawn, not ended", " 10%\r 50%\r", " 50%", 100, false},
		{"colours", "\x1b[1;31mred\x1b[0m \x1b]0;title\x07end", "red end", 100, false},
		{"a lone escape", "a\x1b\nb", "a?\nb", 100, false},
		{"tabs stay", "a\tb\x08", "a\tb?", 100, false},
		{"bytes that are no UTF-8", "caf\xe9", "caf?", 100, false},
		{"only the end", "one\ntwo\nthree\n", "two\nthree\n", 14, true},
		{"one long line", long, "…" + long[:116], 120, true},
		{"a long line before short ones", long + "\nend\n", "…" + long[:140] + "\nend\n", 149, true},
	}
	for _, tt := range tests {
		got, cut := ui.CleanLog([]byte(tt.in), tt.limit)
		if got != tt.want || cut != tt.cut {
			t.Errorf("%s: CleanLog(%q) = %q, %v; want %q, %v", tt.name, tt.in, got, cut, tt.want, tt.cut)
		}
	}
}

func TestWordsForPeople(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 0: "0 ms", 31 * time.Millisecond: "31 ms", 1560 * time.Millisecond: "1.6 s", 25 * time.Second: "25 s",
		4*time.Minute + 5*time.Second: "4 min 05", 3*time.Hour + 2*time.Minute: "3 h 02", 292 * time.Hour: "12 d 4 h",
	} {
		if got := ui.Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "now", -time.Second: "now", 30 * time.Second: "30 s ago", 12 * time.Minute: "12 min ago",
		47 * time.Hour: "47 h ago", 72 * time.Hour: "3 d ago", -time.Hour: "in 1 h",
	} {
		if got := ui.Age(d); got != want {
			t.Errorf("Age(%v) = %q, want %q", d, got, want)
		}
	}
}
