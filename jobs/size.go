package jobs

import (
	"fmt"
	"strconv"
	"time"
)

// RoughSize writes a number of bytes for people, in binary units: 3.2 GiB.
func RoughSize(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n)/(1<<10), "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if value < 1<<10 {
			break
		}
		value, unit = value/(1<<10), next
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// ExactSize writes a number of bytes in the unit in which it is shortest, and
// exact, as a configuration does: 4GiB, 10GB.
func ExactSize(n int64) string {
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

// RoughTime writes a duration as people say it, at two units at most: 1 min 40.
func RoughTime(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}
