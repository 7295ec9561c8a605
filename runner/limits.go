package runner

import (
	"math"
	"strconv"
	"strings"

	"jobrunner/jobs"
)

// LimitWords says how the limits of a type would be set here and now, "" if it
// has none. What it says of control groups is true of the group that this
// process is in; a daemon may run in another.
func LimitWords(typ *jobs.Type) string {
	asked := limitsOf(typ)
	if asked.none() {
		return ""
	}
	return foresee(asked).words()
}

func limitsOf(typ *jobs.Type) limits {
	return limits{Nice: typ.Nice, Memory: typ.MemoryLimit, CPU: typ.CPULimit}
}

func (l limits) none() bool { return l.Nice == nil && l.Memory <= 0 && l.CPU <= 0 }

// unset says of each limit that it was asked for and not set, and why; "" for none.
func (l limits) unset(why string) string {
	var set applied
	if l.Memory > 0 {
		set.memory = "memory not limited: " + why
	}
	if l.CPU > 0 {
		set.cpu = "cpu not limited: " + why
	}
	if l.Nice != nil {
		set.nice = "nice not set: " + why
	}
	return set.words()
}

// applied says in words what became of each limit; "" for one not asked for.
type applied struct{ memory, cpu, nice string }

func (a applied) words() string {
	var said []string
	for _, word := range []string{a.memory, a.cpu, a.nice} {
		if word != "" {
			said = append(said, word)
		}
	}
	return strings.Join(said, ", ")
}

func processors(n int) string {
	if n == 1 {
		return "1 processor"
	}
	return strconv.Itoa(n) + " processors"
}

// wholeProcessors is how many processors a limit in processors takes up.
func wholeProcessors(cpu float64) int { return max(1, int(math.Ceil(cpu))) }

// bytesWord writes a number of bytes in the unit in which it is shortest, and
// exact: 4GiB, 10GB.
func bytesWord(n int64) string {
	word := strconv.FormatInt(n, 10) + " bytes"
	for _, units := range []struct {
		step  int64
		names []string
	}{
		{1024, []string{"KiB", "MiB", "GiB", "TiB"}},
		{1000, []string{"kB", "MB", "GB", "TB"}},
	} {
		for left, names := n, units.names; len(names) > 0 && left%units.step == 0; names = names[1:] {
			left /= units.step
			if short := strconv.FormatInt(left, 10) + names[0]; len(short) < len(word) {
				word = short
			}
		}
	}
	return word
}

// cpuWord writes a number of processors: 1.5.
func cpuWord(cpu float64) string { return strconv.FormatFloat(cpu, 'f', -1, 64) }
