package main

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A file's mappings are found by an address in one of them; those that may be
// written, and those that differ from the file, are left alone.
func TestProgramMappings(t *testing.T) {
	const smaps = `00400000-00e63000 r-xp 00000000 08:01 77 /opt/job runner (deleted)
Size:              10636 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me sd
00e63000-018c2000 r--p 00a63000 08:01 77 /opt/job runner (deleted)
Anonymous:             0 kB
018c2000-018d0000 r--p 014c2000 08:01 77 /opt/job runner (deleted)
Anonymous:             8 kB
018d0000-018e0000 r-xp 014d0000 08:01 77 /opt/job runner (deleted)
Anonymous:             0 kB
Swap:                  4 kB
018e0000-01956000 rw-p 014e0000 08:01 77 /opt/job runner (deleted)
Anonymous:             0 kB
01956000-01960000 r--s 00000000 08:01 77 /opt/job runner (deleted)
Anonymous:             0 kB
7f0000000000-7f0000001000 r-xp 00000000 08:01 78 /usr/lib/libc.so.6
Anonymous:             0 kB
7f0000002000-7f0000003000 r--p 00000000 00:00 0
Anonymous:             0 kB
`
	want := []mapping{{0x400000, 0xe63000}, {0xe63000, 0x18c2000}}
	if got := programMappings(strings.NewReader(smaps), 0x400123); !slices.Equal(got, want) {
		t.Errorf("found %x, want %x", got, want)
	}
	broken := smaps[:strings.Index(smaps, "Anonymous")] + strings.Repeat("x", 1<<20) + "\n"
	if got := programMappings(strings.NewReader(broken), 0x400123); len(got) > 0 {
		t.Errorf("found %x in what cannot be read to its end", got)
	}
	if got := programMappings(strings.NewReader(smaps), 0x12); len(got) > 0 {
		t.Errorf("found %x about an address that is nowhere", got)
	}
}

// The pages go, and the program goes on.
func TestUnmapProgram(t *testing.T) {
	before := programPages(t)
	unmapProgram()
	if after := programPages(t); after >= before {
		t.Errorf("%d kB of the program are in memory, and were %d before", after, before)
	}
}

// programPages is how many kB of this program's own mappings are in memory.
func programPages(t *testing.T) (kB int) {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	found := programMappings(strings.NewReader(string(smaps)), reflect.ValueOf(unmapProgram).Pointer())
	if len(found) == 0 {
		t.Fatal("no mapping of the program was found")
	}
	counts := false
	for line := range strings.Lines(string(smaps)) {
		var m mapping
		if scan(line, "%x-%x", &m.from, &m.to) {
			counts = slices.Contains(found, m)
			continue
		}
		var n int
		if counts && scan(line, "Rss: %d kB", &n) {
			kB += n
		}
	}
	return kB
}
