//go:build unix

package meter

// mostOpen bounds the logs that are open at the same time; one with a max_log
// takes two descriptors.
const mostOpen = 100
