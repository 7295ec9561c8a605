package main

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestParsePairs(t *testing.T) {
	got, fault := parsePairs([]string{"a=1", "b=x=y", "a=", "c= "})
	want := [][2]string{{"a", ""}, {"b", "x=y"}, {"c", " "}}
	if fault != "" || !slices.Equal(got, want) {
		t.Errorf("got %q, %q; want %q", got, fault, want)
	}
	for _, bad := range []string{"a", "=1", "", "a=\xff"} {
		if got, fault := parsePairs([]string{bad}); fault == "" {
			t.Errorf("%q: got %q, want a fault", bad, got)
		}
	}
}

func TestParseAxes(t *testing.T) {
	got, fault := parseAxes([]string{"lr=0.1,0.010", "seed=1", "lr=x=y"})
	want := []jobs.Axis{{Name: "lr", Values: []string{"0.1", "0.010", "x=y"}}, {Name: "seed", Values: []string{"1"}}}
	if fault != "" || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %q; want %q", got, fault, want)
	}
	for _, bad := range []string{"lr", "=1", "", "lr=", "lr=\xff"} {
		if got, fault := parseAxes([]string{bad}); fault == "" {
			t.Errorf("%q: got %q, want a fault", bad, got)
		}
	}
}

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2h":                        now.Add(-2 * time.Hour),
		"1h30m":                     now.Add(-90 * time.Minute),
		"3d":                        now.Add(-72 * time.Hour),
		"0.5d":                      now.Add(-12 * time.Hour),
		"2026-11-22":                time.Date(2026, 11, 22, 0, 0, 0, 0, time.Local),
		"2026-11-22 02:30":          time.Date(2026, 11, 22, 2, 30, 0, 0, time.Local),
		"2026-11-22T02:30:05":       time.Date(2026, 11, 22, 2, 30, 5, 0, time.Local),
		"2026-11-22T02:00:00+01:00": time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC),
		" 2026-11-22T01:00:00Z ":    time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC),
	} {
		if got, ok := parseSince(text, now); !ok || !got.Equal(want) {
			t.Errorf("%q: got %s, %t; want %s", text, got, ok, want)
		}
	}
	for _, bad := range []string{"", "yesterday", "-1h", "-2d", "d", "1e9d", "NaNd", "2026-13-01", "2026-11-22 25:00"} {
		if got, ok := parseSince(bad, now); ok {
			t.Errorf("%q: got %s, want a fault", bad, got)
		}
	}
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1s", 90 * time.Second: "1m30s", time.Minute: "1m", time.Hour: "1h", 24 * time.Hour: "24h",
		time.Hour + time.Second: "1h0m1s", 100 * time.Minute: "1h40m", 10 * time.Minute: "10m",
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}
