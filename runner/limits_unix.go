//go:build unix

package runner

import "fmt"

// niceWords says whether the niceness could be set.
func niceWords(nice int, err error) string {
	if err != nil {
		return fmt.Sprintf("nice %d not set: %v", nice, err)
	}
	return fmt.Sprintf("nice %d", nice)
}
