package runner

import "testing"

// In a container a job's parent may have the pid that kthreadd has elsewhere.
func TestParseStat(t *testing.T) {
	tests := []struct {
		name, line string
		ok         bool
	}{
		{"job", "25 (a (b) c) S 2 25 25 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0", true},
		{"kernel thread", "25 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0", false},
		{"torn", "25 (a) S 2 25", false},
	}
	for _, tt := range tests {
		q, ok := parseStat([]byte(tt.line))
		if ok != tt.ok {
			t.Errorf("%s: found %t, want %t", tt.name, ok, tt.ok)
		}
		if ok && (q.pid != 25 || q.ppid != 2 || q.name != "a (b) c" || q.session != 25 || q.start != 4711) {
			t.Errorf("%s: got %+v", tt.name, q)
		}
	}
}
