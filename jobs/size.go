package jobs

import (
	"fmt"
	"strconv"
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
