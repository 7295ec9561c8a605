package progress

import (
	"bytes"
	"strings"
)

// counted are the words beside "3/10" or "3 of 10" that tell that it counts how
// far something is. Such lines are also written for other ends, so they count
// once they have grown; a test's "3/10 passed" must not.
var counted = map[string]bool{
	"step": true, "iteration": true, "iter": true, "batch": true, "batches": true, "item": true, "file": true, "frame": true,
	"image": true, "sample": true, "chunk": true, "page": true, "record": true, "row": true, "task": true, "fold": true,
	"trial": true, "round": true, "video": true, "part": true, "block": true, "tile": true, "shard": true, "episode": true,
	"generation": true, "stage": true, "phase": true, "progress": true, "processing": true, "processed": true,
	"completed": true, "downloaded": true, "uploaded": true, "copied": true, "converted": true,
}

// ratio is "3/10" or "3 of 10" in a line, with the word beside it.
type ratio struct {
	done, total float64
	size        []byte // total as it is written
	word        string
	start, end  int // with the word
}

// counter finds a ratio that tells how far something is.
func (s *scan) counter(text []byte, slash bool) (finding, bool) {
	if slash {
		for r, next, ok := nextRatio(text, 0, slashAt); ok; r, next, ok = nextRatio(text, next, slashAt) {
			if r.word != "" {
				return s.count(r, text), true
			}
		}
	}
	for r, next, ok := nextRatio(text, 0, ofAt); ok; r, next, ok = nextRatio(text, next, ofAt) {
		if r.word != "" {
			return s.count(r, text), true
		}
	}
	return finding{}, false
}

func (s *scan) count(r ratio, text []byte) finding {
	if r.word == epochTool {
		return s.epochs.line(r, text)
	}
	f := finding{weak: true, label: r.word, total: string(r.size)}
	f.reading = reading{source: "count", fraction: share(r.done, r.total), text: tidy(text[r.start:r.end]), left: none}
	return f
}

// slashAt finds a slash at or behind from; ofAt finds " of ". They give where it
// begins and ends; none if there is none.
func slashAt(text []byte, from int) (begin, end int) {
	at := bytes.IndexByte(text[from:], '/')
	if at < 0 {
		return none, none
	}
	return from + at, from + at + 1
}

func ofAt(text []byte, from int) (begin, end int) {
	for {
		at := bytes.IndexByte(text[from:], 'f') // it is rarer than o and than a blank
		if at < 0 {
			return none, none
		}
		at += from
		if at >= 2 && text[at-1] == 'o' && text[at-2] == ' ' && at+1 < len(text) && text[at+1] == ' ' {
			return at - 2, at + 2
		}
		from = at + 1
	}
}

// nextRatio finds a ratio whose divider stands at or behind from, and where to
// look for the one after it.
func nextRatio(text []byte, from int, divider func([]byte, int) (int, int)) (r ratio, next int, ok bool) {
	for {
		begin, end := divider(text, from)
		if begin < 0 {
			return ratio{}, len(text), false
		}
		if r, ok = ratioAt(text, begin, end); ok {
			return r, end, true
		}
		from = end
	}
}

// ratioAt gives the ratio whose divider stands in text from its begin to its end.
func ratioAt(text []byte, begin, end int) (r ratio, ok bool) {
	for begin > 0 && text[begin-1] == ' ' {
		begin--
	}
	for end < len(text) && text[end] == ' ' {
		end++
	}
	r.start, r.end = begin, end
	for r.start > 0 && isNumeral(text[r.start-1]) {
		r.start--
	}
	for r.end < len(text) && isNumeral(text[r.end]) {
		r.end++
	}
	for r.end > end && text[r.end-1] == ',' {
		r.end--
	}
	if r.start == begin || r.end == end || goesOn(text, r.end) || r.start > 0 && isPart(text[r.start-1]) {
		return ratio{}, false
	}
	r.size = text[end:r.end]
	r.done, r.total = number(text[r.start:begin]), number(r.size)
	if r.done < 0 || r.done > r.total || r.total <= 0 {
		return ratio{}, false
	}
	r.findWord(text)
	return r, true
}

// isNumeral reports whether c may stand in a number: commas are between thousands.
func isNumeral(c byte) bool { return isDigit(c) || c == ',' }

// isPart reports whether a number behind c is part of something longer.
func isPart(c byte) bool { return isWord(c) || c == '.' || c == '/' || c == '-' }

// goesOn reports whether what ends at i is part of something longer: a date, a
// path, a version, a percentage.
func goesOn(text []byte, i int) bool {
	if i == len(text) {
		return false
	}
	c := text[i]
	if c == '.' || c == '-' || c == ':' {
		return i+1 < len(text) && isDigit(text[i+1])
	}
	return isWord(c) || c == '/' || c == '%'
}

// findWord finds the word that tells what is counted, before the ratio or
// behind it.
func (r *ratio) findWord(text []byte) {
	end := r.start
	for end > 0 && r.start-end < 4 && bytes.IndexByte([]byte(" \t:=#[("), text[end-1]) >= 0 {
		end--
	}
	start := end
	for start > 0 && isLetter(text[start-1]) {
		start--
	}
	if word := singular(text[start:end]); word != "" {
		if bytes.ContainsAny(text[end:r.start], "[(") && r.end < len(text) && (text[r.end] == ']' || text[r.end] == ')') {
			r.end++
		}
		r.word, r.start = word, start
		return
	}
	if r.end+1 < len(text) && text[r.end] == ' ' {
		end = r.end + 1
		for end < len(text) && isLetter(text[end]) {
			end++
		}
		if word := singular(text[r.end+1 : end]); word != "" && word != epochTool {
			r.word, r.end = word, end
		}
	}
}

// singular gives the word as counted knows it, or "epoch"; "" if it is neither.
func singular(word []byte) string {
	if len(word) > 16 {
		return ""
	}
	lower := string(bytes.ToLower(word))
	for _, s := range []string{lower, strings.TrimSuffix(lower, "s")} {
		if s == epochTool || counted[s] {
			return s
		}
	}
	return ""
}
