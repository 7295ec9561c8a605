package watcher

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// wallClock sets the clock on the wall of this process alone: programs ask the
// kernel's vDSO for the time, of which every process may change its own copy.
// The times of files stay as they are.
type wallClock struct {
	t      *testing.T
	memory *os.File
	offset int64 // of the number of seconds that are added
}

// takeOverClock makes the clock settable. Call it in a process of its own. Where
// it cannot be done the test is skipped.
func takeOverClock(t *testing.T) *wallClock {
	t.Helper()
	start, end, err := vdso()
	if err != nil {
		t.Skipf("the vDSO is not found: %v", err)
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("the vDSO cannot be changed: %v", err)
	}
	t.Cleanup(func() { memory.Close() })
	image := make([]byte, end-start)
	if _, err := memory.ReadAt(image, start); err != nil {
		t.Skipf("the vDSO cannot be read: %v", err)
	}
	entry, err := clockEntry(image)
	if err != nil {
		t.Skipf("the vDSO is not as expected: %v", err)
	}
	stub := []byte{
		0xb8, 228, 0, 0, 0, // mov $228, %eax: clock_gettime
		0x0f, 0x05, // syscall
		0x85, 0xff, // test %edi, %edi: is it the clock on the wall?
		0x75, 0x07, // jne over the next
		0x48, 0x81, 0x06, 0, 0, 0, 0, // addq $seconds, (%rsi)
		0xc3, // ret
	}
	place := int64(len(image) - len(stub))
	if len(bytes.Trim(image[place:], "\x00")) > 0 {
		t.Skip("the vDSO has no room for a function")
	}
	jump := binary.LittleEndian.AppendUint32([]byte{0xe9}, uint32(place-entry-5))
	for _, w := range []struct {
		code []byte
		at   int64
	}{{stub, place}, {jump, entry}} {
		if _, err := memory.WriteAt(w.code, start+w.at); err != nil {
			t.Skipf("the vDSO cannot be changed: %v", err)
		}
	}
	return &wallClock{t, memory, start + place + 14}
}

// vdso says where the kernel has put it.
func vdso() (start, end int64, err error) {
	maps, err := os.ReadFile("/proc/self/maps")
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			_, err := fmt.Sscanf(line, "%x-%x", &start, &end)
			return start, end, err
		}
	}
	return 0, 0, fmt.Errorf("it is not there (%v)", err)
}

// clockEntry is where clock_gettime begins in the vDSO.
func clockEntry(image []byte) (int64, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, err
	}
	symbols, err := f.DynamicSymbols()
	for _, s := range symbols {
		if s.Name == "__vdso_clock_gettime" && s.Value < uint64(len(image)) {
			return int64(s.Value), nil
		}
	}
	return 0, fmt.Errorf("it has no clock_gettime (%v)", err)
}

// set makes the clock on the wall wrong by so much.
func (c *wallClock) set(wrong time.Duration) {
	c.t.Helper()
	seconds := binary.LittleEndian.AppendUint32(nil, uint32(int32(wrong/time.Second)))
	if _, err := c.memory.WriteAt(seconds, c.offset); err != nil {
		c.t.Fatal(err)
	}
}

// The clock is settable, and the other clock does not follow it.
func TestSettableClock(t *testing.T) {
	t.Parallel()
	if !runApart(t, nil) {
		return
	}
	clock := takeOverClock(t)
	for _, wrong := range []time.Duration{time.Hour, -48 * time.Hour, 0} {
		before := time.Now()
		clock.set(wrong)
		now := time.Now()
		if d := now.Sub(before); d < 0 || d > time.Minute {
			t.Errorf("set by %s: %s have passed", wrong, d)
		}
		real := fileTime(t)
		if d := now.Round(0).Sub(real) - wrong; d.Abs() > time.Minute {
			t.Errorf("set by %s: the clock on the wall is wrong by %s", wrong, now.Round(0).Sub(real))
		}
	}
}

// fileTime is the time by the kernel's own clock.
func fileTime(t *testing.T) time.Time {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}
