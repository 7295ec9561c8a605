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
		text := ui.Clean(s, limit)
		var b strings.Builder
		if err := page.Execute(&b, text); err != nil {
			t.Fatal(err)
		}
		if b.Len() > limit {
			t.Errorf("Clean(%q, %d) escapes to %d bytes", s, limit, b.Len())
		}
		if strings.ContainsAny(b.String(), "\x00\x1b\r\u0085\u202e\u2028") {
			t.Errorf("Clean(%q, %d) = %q", s, limit, text)
		}
	})
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
