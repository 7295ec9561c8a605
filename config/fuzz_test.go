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
	const some = 6 // to begin with all of them would take longer than a short run
	for i, path := range append(testdata(f, "*.good.yaml"), testdata(f, "*.bad.yaml")...) {
		if i%some != 0 {
			continue
		}
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

// Whatever the bytes, a file of a type is taken or refused in words with its
// name, and keeps nothing else back.
func FuzzTypeFile(f *testing.F) {
	for _, seed := range []string{
		"command: [echo]\n", "comand: [echo]\n", "", "---\n...\n", "[", "\xff\xfe", "a: &x {b: *x}\n", "command:\n",
		"interpreter: [sh]\nscripts: s\non_change: copy\nargs: {params: {lr: {type: float, min: 0, default: 0.1}}}\n",
		"command: [a, '{p}']\nargs: {params: {p: {type: secret, env: X}}}\nenv: {X: y}\n",
		"command: [a]\nmax_retries: 3\nretry_on: [75, SIGKILL, lost]\non_lost: keep\nretry_delay: 1s\n",
		"command: [a]\nslots: {gpu: 9}\nnice: 3\nmemory_limit: 4GiB\nmax_log: 10MiB\ncpu_limit: 1.5\n",
		"command: [a]\non_finish: [{webhook: 'https://x/', secret_file: k, on: [ALL_DONE]}, {command: [b]}]\n",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	path := dir + "/types.d/b.yaml"
	if err := os.Mkdir(dir+"/types.d", 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse(dir+"/jobrunner.yaml", []byte("slots: {gpu: 2}\ntypes: {a: {command: [echo]}}\n"))
		if err != nil || c.Catalog.Types["a"] == nil {
			t.Fatalf("got %v", err)
		}
		if taken := c.Catalog.Types["b"] != nil; taken != (len(c.TypeFaults) == 0) {
			t.Errorf("taken: %t, faults: %v", taken, c.TypeFaults)
		}
		for _, fault := range c.TypeFaults {
			if fault.File != "types.d/b.yaml" || fault.Message == "" || strings.ContainsAny(fault.Error(), "\n\r\x00\x1b") {
				t.Errorf("without a file or words, or not one line: %+v", fault)
			}
		}
	})
}
