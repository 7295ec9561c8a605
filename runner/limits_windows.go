package runner

// Written against the documentation and cross-compiled; not yet tried on
// Windows.

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"

	"jobrunner/jobs"
)

// limiter sets the limits of attempts, by their job objects and by the priority
// class of their first process.
type limiter struct{}

func newLimiter(string) *limiter { return &limiter{} }

// bounds are the limits of one attempt. Nil bounds limit nothing.
type bounds struct{ asked limits }

// bind makes ready what limits an attempt.
func (l *limiter) bind(sp *spec) *bounds {
	if sp.Limits.none() {
		return nil
	}
	return &bounds{asked: sp.Limits}
}

// class is the priority class that comes nearest to the niceness; 0 leaves it to
// the system.
func (b *bounds) class() uint32 {
	if b == nil || b.asked.Nice == nil {
		return 0
	}
	_, class := classOf(*b.asked.Nice)
	return class
}

func classOf(nice int) (name string, class uint32) {
	switch {
	case nice >= 15:
		return "idle", windows.IDLE_PRIORITY_CLASS
	case nice >= 5:
		return "below normal", windows.BELOW_NORMAL_PRIORITY_CLASS
	case nice > -5:
		return "normal", windows.NORMAL_PRIORITY_CLASS
	case nice > -15:
		return "above normal", windows.ABOVE_NORMAL_PRIORITY_CLASS
	}
	return "high", windows.HIGH_PRIORITY_CLASS
}

// hold sets the limits of the attempt's job object, whose process does not run
// yet, and says what is in force.
func (b *bounds) hold(job windows.Handle) string {
	if b == nil {
		return ""
	}
	set := foresee(b.asked)
	if b.asked.Memory > 0 {
		var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
		info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_JOB_MEMORY
		info.JobMemoryLimit = uintptr(b.asked.Memory)
		_, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
		if err != nil {
			set.memory = "memory not limited: " + err.Error()
		}
	}
	if rate := cpuRate(b.asked.CPU); rate > 0 {
		// JOBOBJECT_CPU_RATE_CONTROL_INFORMATION
		info := struct{ flags, rate uint32 }{flags: 1 | 4, rate: rate} // ENABLE, HARD_CAP
		_, err := windows.SetInformationJobObject(job, windows.JobObjectCpuRateControlInformation, uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
		if err != nil {
			set.cpu = "cpu not limited: " + err.Error()
		}
	}
	return set.words()
}

// cpuRate is the share of all processors that cpu of them are, in hundredths of
// a percent; 0 if that is no limit.
func cpuRate(cpu float64) uint32 {
	const whole = 10_000
	rate := cpu / float64(runtime.NumCPU()) * whole
	if cpu <= 0 || rate >= whole {
		return 0
	}
	return max(1, uint32(rate))
}

// foresee says how limits would be set.
func foresee(asked limits) applied {
	var set applied
	if asked.Memory > 0 {
		set.memory = "memory " + jobs.ExactSize(asked.Memory) + " by job object"
	}
	switch {
	case cpuRate(asked.CPU) > 0:
		set.cpu = "cpu " + cpuWord(asked.CPU) + " by job object"
	case asked.CPU > 0:
		set.cpu = "cpu not limited: there are no more than " + processors(wholeProcessors(asked.CPU))
	}
	if asked.Nice != nil {
		name, _ := classOf(*asked.Nice)
		set.nice = "priority " + name
	}
	return set
}

// release has nothing to give back.
func (b *bounds) release() (note string) { return "" }
