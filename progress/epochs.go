package progress

// epochs puts together how many epochs of a training are done and how far the
// bar of the one that runs has come.
type epochs struct {
	done  float64 // whole epochs
	of    float64 // 0 while nothing was said
	text  string  // "Epoch 3/10"
	inner string  // kind of the bar within: the first one, others belong to validation
	most  float64 // how far it has come; it does not fall within an epoch
	zero  bool    // the first epoch is number 0
}

const epochTool = "epoch"

// line takes a line that names the epoch. One that goes on with a loss or a time
// was written at the epoch's end, one that does not at its begin.
func (e *epochs) line(r ratio, text []byte) finding {
	e.zero = e.zero && r.total == e.of || r.done == 0
	done := r.done
	if !e.zero {
		done--
	}
	if classify(text[r.end:])&hasDigit != 0 {
		done++
	}
	e.begin(done, r.total, tidy(text[r.start:r.end]))
	return e.whole("")
}

func (e *epochs) begin(done, of float64, text string) {
	if text != e.text || of != e.of {
		*e = epochs{of: of, text: text, zero: e.zero}
	}
	if done > e.done {
		e.done, e.most = done, 0
	}
}

// add takes the bar of a loop and gives the training's progress if that is one
// of its epochs.
func (e *epochs) add(f *finding) (finding, bool) {
	if f.source == epochTool || f.weak || f.fraction < 0 {
		return finding{}, false
	}
	inner := f.text
	if r, _, ok := nextRatio([]byte(f.label), 0, slashAt); ok && (r.word == epochTool || r.start == 0) {
		e.label(r, f.label[r.start:r.end])
		inner = f.counts
	}
	if e.inner == "" {
		e.inner = f.kind()
	}
	ended := e.done+e.most >= e.of && f.fraction < e.most
	if e.of == 0 || ended || e.inner != f.kind() {
		return finding{}, false
	}
	e.most = max(e.most, f.fraction)
	return e.whole(inner), true
}

// label takes the label of a bar that names the epoch. Lightning counts from 0 to
// the last one.
func (e *epochs) label(r ratio, text string) {
	e.zero = e.zero && r.total+1 == e.of || r.done == 0
	if e.zero {
		e.begin(r.done, r.total+1, text)
	} else {
		e.begin(r.done-1, r.total, text)
	}
}

// whole is the training's progress; inner is what its bar says.
func (e *epochs) whole(inner string) finding {
	f := finding{}
	f.reading = reading{source: epochTool, left: none, text: e.text, fraction: share(e.done+e.most, e.of)}
	if inner != "" {
		f.text = tidy([]byte(e.text + ", " + inner))
	}
	return f
}
