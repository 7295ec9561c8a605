package ui_test

import "time"

var begun = time.Now()

// processorTime is the time that has passed, which is the best known here.
func processorTime() time.Duration { return time.Since(begun) }
