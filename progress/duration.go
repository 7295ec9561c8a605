package progress

import (
	"regexp"
	"strconv"
	"time"
)

var (
	clock = regexp.MustCompile(`^(?:(\d{1,5}) ?d(?:ays?)?,? ?)?(?:(\d{1,6}):)?(\d{1,6}):(\d\d)(?:\.\d+)?s?$`)
	units = regexp.MustCompile(`^(?:(\d{1,5}) ?w(?:eeks?)? ?)?(?:(\d{1,5}) ?d(?:ays?)? ?)?(?:(\d{1,6}) ?h(?:ours?)? ?)?(?:(\d{1,6}) ?m(?:in|inutes?)? ?)?(?:(\d{1,9})(?:\.\d+)? ?(?:s(?:ec|econds?)?)?)?$`)
)

// maxLeft is the longest time left that is believed.
const maxLeft = 10 * 365 * 24 * time.Hour

// duration reads a time as tools write it: 1:02:03, 02:03, 1 day, 2:03:04,
// 2h3m, 45s, 90; none if it is none of them.
func duration(s string) time.Duration {
	var n time.Duration
	if m := clock.FindStringSubmatch(s); m != nil {
		n = sum(m[1:], 24*time.Hour, time.Hour, time.Minute, time.Second)
	} else if m := units.FindStringSubmatch(s); m != nil && s != "" {
		n = sum(m[1:], 7*24*time.Hour, 24*time.Hour, time.Hour, time.Minute, time.Second)
	} else {
		return none
	}
	if n > maxLeft {
		return none
	}
	return n
}

func sum(numbers []string, units ...time.Duration) time.Duration {
	var all time.Duration
	for i, s := range numbers {
		n, _ := strconv.ParseInt(s, 10, 64) // "" is 0
		all += time.Duration(min(n, int64(maxLeft/units[i])+1)) * units[i]
	}
	return all
}
