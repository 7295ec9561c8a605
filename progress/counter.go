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
func (s *scan) counter(text []byte) (finding, bool) {
	for from := 0; from < len(text); {
		r, next, ok := nextRatio(text, from)
		if !ok {
			return finding{}, false
		}
		from = next
		switch {
		case r.word == epochTool:
			return s.epochs.line(r, text), true
		case counted[r.word]:
			f := finding{weak: true, label: r.word, total: string(r.size)}
			f.reading = reading{source: "count", fraction: share(r.done, r.total), text: tidy(text[r.start:r.end]), left: none}
			return f, true
		}
	}
	return finding{}, false
}

// nextRatio finds a ratio at or behind from, and where to look for the one
// after it.
func nextRatio(text []byte, from int) (r ratio, next int, ok bool) {
	for i := from; i < len(text); i++ {
		if !isDigit(text[i]) || i > 0 && (isWord(text[i-1]) || text[i-1] == '.' || text[i-1] == '/' || text[i-1] == '-') {
			continue
		}
		end := digitsEnd(text, i)
		total := afterDivider(text, end)
		if total < 0 {
			i = end
			continue
		}
		next = digitsEnd(text, total)
		r.done, r.total, r.size = number(text[i:end]), number(text[total:next]), text[total:next]
		if r.done >= 0 && r.done <= r.total && r.total > 0 && !goesOn(text, next) {
			r.start, r.end = i, next
			r.findWord(text)
			return r, next, true
		}
		i = next
	}
	return ratio{}, len(text), false
}

// digitsEnd gives the end of the digits at i; commas between them belong to them.
func digitsEnd(text []byte, i int) int {
	for i < len(text) && (isDigit(text[i]) || text[i] == ',' && i+1 < len(text) && isDigit(text[i+1])) {
		i++
	}
	return i
}

// afterDivider gives the place of the number behind a slash or "of" at i; none
// if there is none.
func afterDivider(text []byte, i int) int {
	rest := bytes.TrimLeft(text[i:], " ")
	after, ok := bytes.CutPrefix(rest, []byte("/"))
	if !ok {
		if after, ok = bytes.CutPrefix(rest, []byte("of ")); !ok || len(rest) == len(text)-i {
			return none
		}
	}
	after = bytes.TrimLeft(after, " ")
	if len(after) == 0 || !isDigit(after[0]) {
		return none
	}
	return len(text) - len(after)
}

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
