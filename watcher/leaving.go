package watcher

import (
	"cmp"
	"slices"
)

// standing counts the taken lines that still stand in the file.
func (q *queueFile) standing() int {
	n := 0
	for _, t := range q.taken {
		if t.GoneAt == 0 {
			n++
		}
	}
	return n
}

// outdated returns the lines of finished jobs that are over queue_keep, oldest
// first. In a long file it waits until a twentieth of the file is to go, so
// that writing the file anew costs little for each line.
func (q *queueFile) outdated() []viewLine {
	over := q.view.finished - q.o.Settings().QueueKeep
	if over <= 0 || q.end > smallFile && over < q.view.len()/worthwhile {
		return nil
	}
	finished := make([]viewLine, 0, q.view.finished)
	for l := range q.view.all() {
		if l.word.Ended() && q.words[l.id] == "" {
			finished = append(finished, l)
		}
	}
	slices.SortFunc(finished, func(a, b viewLine) int {
		return cmp.Or(a.changed.Compare(b.changed), cmp.Compare(a.start, b.start))
	})
	return finished[:min(over, len(finished))]
}

// leaving gives the texts that are to leave the file, by where they stand, and
// their lengths.
func (q *queueFile) leaving() map[int64]int {
	gone := map[int64]int{}
	for _, s := range q.drops {
		gone[s.start] = s.length
	}
	for _, t := range q.taken {
		if t.GoneAt == 0 {
			gone[t.Offset] = int(t.Length)
		}
	}
	return gone
}
