package progress

import (
	"time"

	"jobrunner/jobs"
)

// Detector follows the output of one attempt. One goroutine at a time may use
// it.
type Detector struct {
	rule    jobs.ProgressRule
	pattern pattern // of the type; without an expression if it has none
	whole   whole   // as the pattern has told
	lines   lines

	file  track // the progress file
	said  track // said on purpose in the output
	lone  track // said by lines that are nothing but a percentage
	grown bool  // lone has grown: it was no word by chance
	own   track // found by the type's pattern
	bars  bars  // found by what is known of tools

	writtenAt time.Time // of the latest piece
	gap       bool      // something was not read
}

// New gives a Detector for an attempt that began at startedAt, which tells the
// rate as long as there is but one sample; a zero time means that it is not
// known.
func New(rule jobs.ProgressRule, startedAt time.Time) *Detector {
	d := &Detector{rule: rule}
	for _, t := range []*track{&d.file, &d.said, &d.lone, &d.own} {
		t.startedAt = startedAt
	}
	d.bars.startedAt = startedAt
	if rule.Pattern != nil {
		d.pattern = newPattern(rule.Pattern)
	}
	return d
}

// Write takes the next piece of the output, read at the time at. Pieces may
// end anywhere, also within an escape sequence or a character.
func (d *Detector) Write(p []byte, at time.Time) {
	if d.rule.Off || len(p) == 0 {
		return
	}
	d.lines.peek(d, false) // what stands there since the piece before, at its time
	d.writtenAt = at
	d.lines.write(p, d)
}

// Skip says that what came next was not read: the unfinished line is forgotten,
// and so is the next one up to its end.
func (d *Detector) Skip() {
	d.gap = true
	d.lines.skip()
}

// File takes what the attempt's progress file holds at the time at. Its last
// line that is not blank counts.
func (d *Detector) File(content []byte, at time.Time) {
	if d.rule.Off {
		return
	}
	if r, ok := fileReading(content); ok {
		d.file.update(r, at)
	}
}

// Progress gives how far the attempt has come, with the time that is left from
// now on; nil if nothing was found.
func (d *Detector) Progress(now time.Time) *jobs.Progress {
	if d.rule.Off {
		return nil
	}
	d.lines.peek(d, now.Sub(d.writtenAt) >= stillness)
	t := d.trusted()
	if t == nil {
		return nil
	}
	return t.progress(now)
}

// stillness is how long an unfinished line must have stood before it counts as
// whole, if it is no bar that is drawn over itself.
const stillness = time.Second

// trusted gives the most trusted source that has told something; nil if there is
// none. A single line with nothing but a percentage may be a word by chance.
func (d *Detector) trusted() *track {
	switch {
	case d.file.seen:
		return &d.file
	case d.said.seen:
		return &d.said
	case d.grown:
		return &d.lone
	case d.own.seen:
		return &d.own
	}
	if t := d.bars.shown(); t != nil || !d.lone.seen {
		return t
	}
	return &d.lone
}

// line looks at a line, without its end and its escape sequences. Of one that
// may go on only the bars of known tools are sure. What is less trusted than
// what has told something is not looked at.
func (d *Detector) line(text []byte, how drawing) {
	text = trim(text)
	switch {
	case d.file.seen || len(text) == 0:
	case how.part:
		if !d.said.seen && !d.grown && !d.own.seen {
			d.bars.line(text, how, d.writtenAt)
		}
	case d.saidLine(text) || d.said.seen || d.grown || d.ownLine(text) || d.own.seen:
	default:
		d.bars.line(text, how, d.writtenAt)
	}
}

// saidLine reports whether a line was there to tell the progress, and takes it.
func (d *Detector) saidLine(text []byte) bool {
	if r, ok := saidReading(text); ok {
		d.said.update(r, d.writtenAt)
		return true
	}
	r, ok := loneReading(text)
	if ok {
		d.grown = d.grown || d.lone.seen && r.fraction > d.lone.fraction
		d.lone.update(r, d.writtenAt)
	}
	return ok
}

// ownLine reports whether the type's pattern found something, and takes it.
func (d *Detector) ownLine(text []byte) bool {
	r, ok := d.typeReading(text)
	if ok {
		d.own.update(r, d.writtenAt)
	}
	return ok
}

// command takes the content of an OSC escape sequence. 9;4 is how ConEmu,
// Windows Terminal and others draw progress on the task bar
// (https://conemu.github.io/en/AnsiEscapeCodes.html#ConEmu_specific_OSC).
func (d *Detector) command(osc []byte) {
	switch r, clear, ok := oscReading(osc); {
	case !ok:
	case clear:
		d.said.forget()
	default:
		d.said.update(r, d.writtenAt)
	}
}
