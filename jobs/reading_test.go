package jobs_test

import (
	"encoding/json"
	"testing"

	"jobrunner/jobs"
)

func TestProgressTenths(t *testing.T) {
	for percent, want := range map[float64]float64{
		0: 0, 57.99999999999999: 58, 28.999999999999996: 29, 12.34: 12.3, 99.94: 99.9, 99.96: 99.9, 99.9999999: 99.9, 100: 100, 100.2: 100, -1: 0,
	} {
		p := jobs.Progress{Percent: &percent}
		if got := p.Tenths(); got != want {
			t.Errorf("%v: got %v, want %v", percent, got, want)
		}
		var shown struct{ Percent float64 }
		text, err := json.Marshal(p)
		if err == nil {
			err = json.Unmarshal(text, &shown)
		}
		if err != nil || shown.Percent != want {
			t.Errorf("%v: JSON has %v (%v), want %v", percent, shown.Percent, err, want)
		}
	}
}
