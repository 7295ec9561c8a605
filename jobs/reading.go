package jobs

import (
	"encoding/json"
	"math"
	"time"
)

// Reading is what was measured of an attempt from outside, while it ran. It is
// no part of the queue's truth: nothing that a job's life depends on is read
// from it. A Reading is not changed once it was given away.
type Reading struct {
	Attempt  int
	Progress *Progress // nil if nothing is known
	Usage    *Usage    // nil if it was not measured: too short a run, or not on this system
	OutputAt time.Time // when its output was last seen to grow; its start if it never did
	Series   []Point   // its usage over time, oldest first, thinned out as it grows
}

// What counts as silence, and as hardly any work.
const (
	silenceLeast = 10 * time.Minute
	silenceShare = 10   // of the time in which it told something, one part in so many
	idleCPU      = 0.05 // processors
)

// Silence is for how long an attempt that began at startedAt has told nothing:
// its output has not grown, nor has what it says of its progress changed. It is 0
// below ten minutes, and below a tenth of the time in which it did tell
// something: what prints a line an hour is not silent after ten minutes. stuck
// reports whether it may hang: it hardly uses a processor either, or that is not
// known.
func (r *Reading) Silence(startedAt, now time.Time) (silence time.Duration, stuck bool) {
	last := r.OutputAt
	if p := r.Progress; p != nil && p.Source != ProgressHistory && p.At.After(last) {
		last = p.At
	}
	if last.IsZero() {
		return 0, false
	}
	silence = now.Sub(last)
	if silence < max(silenceLeast, last.Sub(startedAt)/silenceShare) {
		return 0, false
	}
	return silence, r.Usage == nil || r.Usage.CPU < idleCPU
}

// Progress is how far an attempt has come, as its output or its progress file
// tells, or as earlier runs of its type suggest.
type Progress struct {
	Percent   *float64       // 0…100; nil if only Text is known
	Text      string         // "epoch 6/10": one line of at most 200 bytes, else as the job wrote it; "" if it said nothing
	ETA       *time.Duration // left until its end when this was read; nil if that cannot be said
	Source    string         // what told Percent and Text: "said", "pattern", "tqdm", …, or ProgressHistory
	ETASource string         // what ETA rests on: a tool as in Source, ETARate or ProgressHistory; "" without ETA
	At        time.Time      // when it was last seen to change
}

// Sources of a Progress that are no tool.
const (
	ProgressSaid    = "said"    // the job said so on purpose, in its output
	ProgressFile    = "file"    // the job said so in its progress file
	ProgressPattern = "pattern" // the type's pattern found it
	ProgressHistory = "history" // how long earlier runs of the type took; the job itself told nothing
	ETARate         = "rate"    // how fast Percent has grown lately
)

// Tenths is Percent as it is shown, 0…100 in steps of a tenth; 100 stands for all
// and for nothing less. Percent must be known.
func (p Progress) Tenths() float64 {
	tenths := min(100, max(0, math.Round(*p.Percent*10)/10)) // 57.99999999999999 is 58
	if tenths == 100 && *p.Percent < 100 {
		return 99.9
	}
	return tenths
}

// progressJSON is the public shape of a Progress.
type progressJSON struct {
	Percent   *float64 `json:"percent,omitempty"`
	Text      string   `json:"text,omitempty"`
	ETA       *float64 `json:"eta_seconds,omitempty"`
	Source    string   `json:"source,omitempty"`
	ETASource string   `json:"eta_source,omitempty"`
}

// MarshalJSON gives the public shape. What is not known is left out.
func (p Progress) MarshalJSON() ([]byte, error) {
	out := progressJSON{Text: p.Text, Source: p.Source, ETASource: p.ETASource}
	if p.Percent != nil {
		percent := p.Tenths()
		out.Percent = &percent
	}
	if p.ETA != nil {
		left := math.Round(p.ETA.Seconds())
		out.ETA = &left
	}
	return json.Marshal(out)
}

// Usage is what the processes of an attempt take, all that it has started taken
// together.
type Usage struct {
	CPU        float64       // processors in use lately: 3.1 stands for 310 %
	CPUTime    time.Duration // used so far, in user and system mode
	Memory     int64         // bytes resident now
	PeakMemory int64         // the most that was seen, in bytes
	Processes  int           // that run now
}

// usageJSON is the public shape of a Usage.
type usageJSON struct {
	CPU        float64 `json:"cpu"`
	CPUTime    float64 `json:"cpu_seconds"`
	Memory     int64   `json:"memory_bytes"`
	PeakMemory int64   `json:"memory_peak_bytes"`
	Processes  int     `json:"processes"`
}

// MarshalJSON gives the public shape.
func (u Usage) MarshalJSON() ([]byte, error) {
	return json.Marshal(usageJSON{
		CPU: math.Round(u.CPU*100) / 100, CPUTime: math.Round(u.CPUTime.Seconds()*100) / 100,
		Memory: u.Memory, PeakMemory: u.PeakMemory, Processes: u.Processes,
	})
}

// Point is the usage of an attempt at one moment.
type Point struct {
	At     time.Time
	CPU    float64 // as in Usage
	Memory int64   // bytes resident
}
