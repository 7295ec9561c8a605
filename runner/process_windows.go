package runner

// Written against the documentation and cross-compiled; not yet tried on
// Windows.

import (
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// bootID names the boot of this machine: Windows counts its boots.
var bootID = sync.OnceValue(func() string {
	const path = `SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	n, _, err := k.GetIntegerValue("BootId")
	if err != nil {
		return ""
	}
	return strconv.FormatUint(n, 10)
})

// bootTime is when this machine was started.
func bootTime() time.Time { return time.Now().Add(-windows.DurationSinceBoot()) }

// look returns the process that has the pid now. A process that has ended is
// found as long as anybody holds a handle of it.
func look(pid int) (proc, bool) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return proc{}, false
	}
	defer windows.CloseHandle(h)
	start, ok := createdAt(h)
	if !ok {
		return proc{}, false
	}
	event, err := windows.WaitForSingleObject(h, 0)
	return proc{pid: pid, start: start, dead: err == nil && event == windows.WAIT_OBJECT_0}, true
}

// createdAt gives a process's creation time in units of 100 ns.
func createdAt(h windows.Handle) (uint64, bool) {
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return 0, false
	}
	return uint64(created.HighDateTime)<<32 | uint64(created.LowDateTime), true
}

// lookAll returns all processes that may be looked at. Environments of others
// are not read, so no process carries a mark.
func lookAll() []proc {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil
	}
	defer windows.CloseHandle(snapshot)
	var procs []proc
	e := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &e); err == nil; err = windows.Process32Next(snapshot, &e) {
		q, ok := look(int(e.ProcessID))
		if !ok {
			continue
		}
		q.ppid, q.name = int(e.ParentProcessID), windows.UTF16ToString(e.ExeFile[:])
		procs = append(procs, q)
	}
	return procs
}
