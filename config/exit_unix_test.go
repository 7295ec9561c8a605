//go:build !windows

package config_test

import "testing"

func TestExitStatusRange(t *testing.T) {
	got := faults(t, write(t, "types: {a: {command: [echo], success_codes: [0, 255, 256, -1]}}\n"))
	want := "jobrunner.yaml:1:54: types.a.success_codes: must be 0 to 255, is 256\n" +
		"jobrunner.yaml:1:59: types.a.success_codes: must be 0 to 255, is -1\n"
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}
