package jobs

import "strings"

// matchRunes bounds the words that Match looks at.
const matchRunes = 64

// Match returns the word of known that word is most likely a slip of, for
// "did you mean"; "" if none is near.
func Match(word string, known []string) string {
	lower := []rune(strings.ToLower(cut(word, matchRunes+1)))
	if len(lower) == 0 || len(lower) > matchRunes {
		return ""
	}
	best, bound := "", 1+len(lower)/5
	for _, k := range known {
		other := []rune(strings.ToLower(cut(k, matchRunes+1)))
		if len(other) > len(lower)+bound || len(lower) > len(other)+bound {
			continue
		}
		// Two words that share hardly a letter are near only by being short.
		if d := distance(lower, other); d <= bound && d < len(lower) {
			best, bound = k, d-1
		}
	}
	return best
}

// distance counts the letters to add, drop, change or swap with their
// neighbour to make b of a.
func distance(a, b []rune) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
