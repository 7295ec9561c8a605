package watcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// match finds out which of the raw lines of a whole look were taken in before,
// and returns those that are new. A line was taken before if it stands where
// it was taken, or, when the file was rewritten, if the same text was taken
// and its job has no line in the file: then a tool has written back what it
// had read before.
func (q *queueFile) match(ctx context.Context, d *digest, missing []int32, rewritten bool) ([]rawLine, error) {
	byText, err := q.missingByText(ctx, d, missing, rewritten && len(d.raws) > 0)
	if err != nil {
		return nil, err
	}
	old := q.taken
	if q.taken = nil; len(old)+len(byText) == 0 {
		q.unsure = false
		return d.raws, nil
	}
	known := recognise(d.raws, old, func(t jobs.Taken) bool {
		return (rewritten || q.info == nil && t.GoneAt == 0) && q.standsAgain(d, t)
	})
	used := make([]bool, len(old))
	var fresh []rawLine
	for n, r := range d.raws {
		t := jobs.Taken{Hash: r.hash}
		if i := known[n]; i >= 0 {
			used[i] = true
			t = old[i]
		} else if l, back := byText[t.Hash]; back { // it is the line of a job that has none now
			delete(byText, t.Hash)
			d.seenUntil = earlier(d.seenUntil, l.placed)
			t.Job = l.id.String()
			d.back = append(d.back, t.Job)
		} else {
			fresh = append(fresh, r)
			continue
		}
		t.Generation, t.Offset, t.Length, t.GoneAt = q.generation.String(), int64(r.at), int64(r.length), 0
		q.taken = append(q.taken, t)
	}
	for i, t := range old {
		if !used[i] && t.Job == "" && q.side == "" {
			if t.GoneAt == 0 {
				t.GoneAt = millis(time.Now())
			}
			q.taken = append(q.taken, t)
		}
	}
	q.unsure = false
	return fresh, nil
}

// recognise says of each raw line which of the taken ones it is, -1 for none:
// the one that stood in its place, or else one of its text that moved allows.
func recognise(raws []rawLine, taken []jobs.Taken, moved func(jobs.Taken) bool) []int {
	standing := byPlace(taken)
	found := make([]int, len(raws))
	used := make([]bool, len(taken))
	for n, r := range raws {
		found[n] = -1
		if i := standing.at(r); i >= 0 && (taken[i].Hash == r.hash || isHalf(r, taken[i])) {
			found[n], used[i] = i, true
		}
	}
	others := map[uint64][]int{}
	for i, t := range taken {
		if !used[i] && moved(t) {
			others[t.Hash] = append(others[t.Hash], i)
		}
	}
	for n, r := range raws {
		if found[n] >= 0 || len(others) == 0 {
			continue
		}
		if same := others[r.hash]; len(same) > 0 {
			found[n], others[r.hash] = same[0], same[1:]
		}
	}
	return found
}

// isHalf reports whether r is what a crash has left of a taken line that was
// being blanked: the kernel gives a write up only between two pages. Blanks of its
// own may stand at the border.
func isHalf(r rawLine, t jobs.Taken) bool {
	border := int64(r.at) / pageSize * pageSize
	return border > t.Offset && border >= r.start() && r.end() == t.Offset+t.Length
}

// standsAgain reports whether a line with the text of t may be t itself at
// another place of a rewritten file. If it is not sure whether t stood there
// still, and its job has its own line there, that would rather be a new request.
func (q *queueFile) standsAgain(d *digest, t jobs.Taken) bool {
	if t.Job == "" || q.side != "" {
		return t.GoneAt == 0 || !fromMillis(t.GoneAt).Before(d.seenUntil)
	}
	if t.GoneAt == 0 && !q.unsure {
		return true
	}
	id, err := uuid.Parse(t.Job)
	return err == nil && !d.present.has(id)
}

// maxLookedUp bounds how many missing lines are looked up one by one; more
// than that is damage, which is undone as a whole.
const maxLookedUp = 5000

// rewriteWindow is how long a tool may take between reading the file and
// writing it, when nothing of ours is left to judge by.
const rewriteWindow = time.Second

// missingByText finds the missing lines that may be back as the text that once
// asked for them. Where a job is unfinished, or its line so young that the
// tool had read the file before it stood there, the text is no new request.
// Where no line of ours is left, somebody has begun the file anew, and all but
// the youngest texts are new requests.
func (q *queueFile) missingByText(ctx context.Context, d *digest, missing []int32, needed bool) (map[uint64]viewLine, error) {
	if !needed || len(missing) > maxLookedUp {
		return nil, nil
	}
	byText := map[uint64]viewLine{}
	for l := range q.view.lines(missing) {
		unseen := !l.placed.Before(d.seenUntil)
		if d.present.len() == 0 {
			unseen = !l.placed.Before(d.seenUntil.Add(unseenWindow - rewriteWindow))
		}
		if !unseen && (l.word.Ended() || d.present.len() == 0) {
			continue
		}
		j, err := q.o.Queue.Job(ctx, l.id.String())
		if errors.Is(err, jobs.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("looking up a job: %w", err)
		}
		if j.RawHash != 0 {
			byText[j.RawHash] = l
		}
	}
	return byText, nil
}

// places are the taken lines that still stand in the file, by their place.
type places struct {
	taken []jobs.Taken
	order []int // indexes of those that stand, by offset
}

func byPlace(taken []jobs.Taken) places {
	p := places{taken: taken}
	for i, t := range taken {
		if t.GoneAt == 0 {
			p.order = append(p.order, i)
		}
	}
	slices.SortFunc(p.order, func(a, b int) int { return cmp.Compare(taken[a].Offset, taken[b].Offset) })
	return p
}

// at gives the taken line whose place holds the text of r, -1 if none does. Not
// where r begins: a line that was blanked is now the beginning of the next one.
func (p places) at(r rawLine) int {
	text := int64(r.at)
	n, found := slices.BinarySearchFunc(p.order, text, func(i int, at int64) int { return cmp.Compare(p.taken[i].Offset, at) })
	if !found {
		n--
	}
	if n < 0 {
		return -1
	}
	i := p.order[n]
	if t := p.taken[i]; text >= t.Offset+t.Length {
		return -1
	}
	return i
}
