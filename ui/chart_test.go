package ui_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"jobrunner/ui"
)

func TestChart(t *testing.T) {
	nan := math.NaN()
	tests := map[string]struct {
		layers []ui.Layer
		top    float64
		want   []string
	}{
		"bars on bars":  {[]ui.Layer{{Class: "c-ok", Values: []float64{1, 0}}, {Class: "c-bad", Values: []float64{3, 4}}}, 0, []string{"M0 40v-10h3v10z", "M0 30v-30h3v30zM4 40v-40h3v40z"}},
		"a little":      {[]ui.Layer{{Values: []float64{0.001}}}, 100, []string{"M0 40v-1h3v1z"}},
		"over the top":  {[]ui.Layer{{Shape: ui.Curve, Values: []float64{200, 50}}}, 100, []string{"M2 0L6 20"}},
		"a gap":         {[]ui.Layer{{Shape: ui.Area, Values: []float64{4, nan, 2}}}, 0, []string{"M0 40V0h4V40ZM8 40V20h4V40Z"}},
		"a stretch":     {[]ui.Layer{{Shape: ui.Area, Values: []float64{4, 4, 4, 2, nan, nan}}}, 0, []string{"M0 40V0h12V20h4V40Z\""}},
		"a gap in line": {[]ui.Layer{{Shape: ui.Curve, Values: []float64{4, nan, 2}}}, 0, []string{"M2 0M10 20"}},
		"dots":          {[]ui.Layer{{Shape: ui.Dots, Values: []float64{nan, 1}}}, 0, []string{"M6 0h0"}},
		"nothing":       {[]ui.Layer{{Values: []float64{0, 0}}}, 0, []string{`d=""`}},
		"none":          {nil, 0, []string{`viewBox="0 0 4 40"`}},
	}
	for name, tt := range tests {
		got := string(ui.Chart{Label: `<b>"x"&`, Height: 40, Top: tt.top, Layers: tt.layers}.SVG())
		for _, want := range append(tt.want, "<title>&lt;b&gt;&#34;x&#34;&amp;</title>") {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in %s", name, want, got)
			}
		}
		for d := xml.NewDecoder(strings.NewReader(got)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v in %s", name, err, got)
				break
			}
		}
	}
}
