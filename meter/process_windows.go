package meter

// Written against the documentation and cross-compiled; not yet tried on
// Windows.

import (
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"jobrunner/jobs"
)

// table is the system's process table. It is used by one goroutine.
type table struct {
	procs []process
	buf   []byte
}

func newTable() *table { return &table{buf: make([]byte, 256<<10)} }

// root gives the start time by which a process is known in this table; false if
// it cannot be found in it. Here that is a date, which no process of another boot
// has.
func (t *table) root(p jobs.ProcessID) (start uint64, ok bool) {
	start, err := strconv.ParseUint(p.Start, 10, 64)
	return start, err == nil && p.PID > 0
}

// look returns all processes, valid until the next call; nil if they cannot be
// looked at. There are no sessions and groups, so children are known only by their
// parent. It is one system call.
func (t *table) look() []process {
	for {
		var size uint32
		err := windows.NtQuerySystemInformation(windows.SystemProcessInformation, unsafe.Pointer(&t.buf[0]), uint32(len(t.buf)), &size)
		if err == nil {
			break
		}
		if err != windows.STATUS_INFO_LENGTH_MISMATCH || len(t.buf) > 64<<20 {
			return nil
		}
		t.buf = make([]byte, max(2*len(t.buf), int(size)))
	}
	const unit = 100 * time.Nanosecond
	t.procs = t.procs[:0]
	for at := uint32(0); ; {
		p := (*windows.SYSTEM_PROCESS_INFORMATION)(unsafe.Pointer(&t.buf[at]))
		if p.UniqueProcessID != 0 { // which stands for what is idle
			t.procs = append(t.procs, process{
				pid: int(p.UniqueProcessID), ppid: int(p.InheritedFromUniqueProcessID), start: uint64(p.CreateTime),
				own: time.Duration(p.UserTime+p.KernelTime) * unit, memory: int64(p.WorkingSetSize),
			})
		}
		if p.NextEntryOffset == 0 {
			return t.procs
		}
		at += p.NextEntryOffset
	}
}
