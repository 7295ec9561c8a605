package ui

// mostVisitors is how many connections there may be.
func mostVisitors() int { return 1000 }
