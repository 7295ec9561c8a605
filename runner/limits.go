package runner

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"jobrunner/jobs"
)

// LimitWords says how the limits of a type would be set here and now, "" if it
// has none. What it says of control groups is true of the group that this
// process is in; a daemon may run in another. stateDir is where the outputs go.
func LimitWords(typ *jobs.Type, stateDir string) string {
	asked := limitsOf(typ)
	words := ""
	if !asked.none() {
		words = foresee(asked).words()
	}
	if asked.Log > 0 {
		words = joined(words, logWords(asked.Log, tryHoles(stateDir)))
	}
	return words
}

func limitsOf(typ *jobs.Type) limits {
	return limits{Nice: typ.Nice, Memory: typ.MemoryLimit, CPU: typ.CPULimit, Log: typ.MaxLog}
}

// none reports whether nothing is asked of the process; its output is not its own
// affair.
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

func (a applied) words() string { return joined(a.memory, a.cpu, a.nice) }

// joined makes one sentence of those that say something.
func joined(words ...string) string {
	said := slices.DeleteFunc(words, func(word string) bool { return word == "" })
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

// cpuWord writes a number of processors: 1.5.
func cpuWord(cpu float64) string { return strconv.FormatFloat(cpu, 'f', -1, 64) }
