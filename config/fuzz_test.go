package config_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"jobrunner/config"
)

// Whatever the bytes, the file is taken or refused in words with a place.
func FuzzLoad(f *testing.F) {
	for _, path := range append(testdata(f, "*.bad.yaml"), testdata(f, "*.good.yaml")...) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(dir+"/jobrunner.yaml", data)
		if err == nil {
			if len(c.Catalog.Types) == 0 {
				t.Error("taken without a type")
			}
			return
		}
		var faults config.Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("got a %T: %v, want Faults", err, err)
		}
		lines := 1 + strings.Count(string(data), "\n")
		for _, fault := range faults {
			if fault.File != "jobrunner.yaml" || fault.Line < 1 || fault.Message == "" {
				t.Errorf("without a place or words: %+v", fault)
			}
			if fault.Line > lines && !strings.ContainsAny(string(data), "\r\u0085\u2028\u2029") {
				t.Errorf("line %d of %d: %v", fault.Line, lines, fault)
			}
			if strings.ContainsAny(fault.Error(), "\n\r\x00\x1b") {
				t.Errorf("not one line: %q", fault.Error())
			}
		}
	})
}
