package main

import (
	"fmt"
	"strings"

	"jobrunner/jobs"
)

// bar draws how far a job has come in a width of columns. What earlier runs
// suggest looks unlike what the job itself tells.
func (s *screen) bar(p *jobs.Progress, width int) cell {
	inner := width - len(s.begin) - len(s.end)
	if p == nil || p.Percent == nil || inner < 1 {
		return cell{}
	}
	done, colour := s.done, cyan
	if p.Source == jobs.ProgressHistory {
		done, colour = s.guessed, dim
	}
	steps := 1
	if s.half != "" && p.Source != jobs.ProgressHistory {
		steps = 2
	}
	// Rounded down: a bar is full when all is done.
	filled := int(p.Tenths() / 100 * float64(inner*steps))
	text := strings.Repeat(done, filled/steps)
	if filled%steps > 0 {
		text += s.half
	}
	return joined(cell{text: s.begin, colour: dim}, cell{text: text, colour: colour},
		cell{text: strings.Repeat(s.left, inner-textWidth(text)) + s.end, colour: dim})
}

// barWidth is how wide a bar is in a table.
func (s *screen) barWidth() int {
	if !s.roomy() {
		return 8
	}
	return 10
}

// wideBar is how wide a bar is in a table that is about progress.
func (s *screen) wideBar() int {
	columns, _ := s.size()
	return min(max(8, (columns-60)/3), 24)
}

// percent writes a percentage in at most four columns, rounded down so that 100
// means all; "" if it is not known. A tilde marks what earlier runs suggest.
func percent(p *jobs.Progress) string {
	if p == nil || p.Percent == nil {
		return ""
	}
	text := fmt.Sprintf("%d%%", int(p.Tenths()))
	if p.Source == jobs.ProgressHistory {
		text = "~" + text
	}
	return text
}
