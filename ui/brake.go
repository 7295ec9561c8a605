package ui

import (
	"fmt"
	"maps"
	"slices"

	"jobrunner/jobs"
)

// maxPaused is how many paused types have a line of their own.
const maxPaused = 6

// viewBrakes says what keeps jobs from starting, and what ends that.
func viewBrakes(b jobs.Brakes, running int) []noteView {
	var out []noteView
	add := func(word, text, command string) {
		out = append(out, noteView{Level: Warn, Glyph: "!", Word: word, Text: text, Command: command})
	}
	if b.Draining {
		left := "as nothing runs any more, the daemon ends"
		if running > 0 {
			left = fmt.Sprintf("the daemon ends with the last of %d running", running)
		}
		add("draining", "No job starts; "+left+". To go on instead:", "jobrunner resume")
	}
	if b.All {
		add("paused", "No job starts; what runs goes on. To end the pause:", "jobrunner resume")
	}
	names := slices.Sorted(maps.Keys(b.Types))
	for i, name := range names {
		name = clean(name, maxType)
		if i == maxPaused {
			add("paused", fmt.Sprintf("%d more types are paused.", len(names)-i), "")
			break
		}
		add("paused", "No job of type "+name+" starts. To end the pause:", "jobrunner resume "+name)
	}
	return out
}
