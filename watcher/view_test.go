package watcher

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// idOf gives ids that come one after the other, as a tool may number its own.
func idOf(n int) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

func lineOf(n int, word jobs.State) viewLine {
	return viewLine{id: idOf(n), start: int64(n) * 70, length: 64, word: word, text: uint32(n), placed: began, changed: began}
}

// Whatever is put and removed, in whatever order, the view has what a map has.
func TestViewHasWhatWasPut(t *testing.T) {
	random := rand.New(rand.NewPCG(1, uint64(seeded(t).Int63())))
	v, want := newView(), map[uuid.UUID]viewLine{}
	for range 100_000 {
		l := lineOf(random.IntN(5000), jobs.States[random.IntN(len(jobs.States))])
		if random.IntN(3) == 0 {
			v.remove(l.id)
			delete(want, l.id)
		} else {
			v.put(l)
			want[l.id] = l
		}
	}
	finished := 0
	for id, l := range want {
		if got, ok := v.line(id); !ok || got != l {
			t.Fatalf("line of %s = %+v, %v; want %+v", id, got, ok, l)
		}
		if l.word.Ended() {
			finished++
		}
	}
	for l := range v.all() {
		if want[l.id] != l {
			t.Fatalf("there is %+v, want %+v", l, want[l.id])
		}
	}
	if v.len() != len(want) || v.finished != finished {
		t.Errorf("%d lines, %d finished; want %d, %d", v.len(), v.finished, len(want), finished)
	}
	for id := range want {
		v.remove(id)
	}
	if v.len() != 0 || v.finished != 0 || len(v.chunks) > 1 {
		t.Errorf("%d lines, %d finished in %d chunks are left of none", v.len(), v.finished, len(v.chunks))
	}
}

// A line's times are rounded to where more lines are put back.
func TestTimesOfLinesAreRoundedToTheSafeSide(t *testing.T) {
	for _, d := range []time.Duration{0, 1, -1, tick, tick + 1, -tick, -tick - 1, time.Hour + 12345, -9000 * time.Hour} {
		l := lineOf(1, jobs.Pending)
		l.placed, l.changed = began.Add(d), began.Add(d)
		v := newView()
		v.put(l)
		got, _ := v.line(l.id)
		if late := got.placed.Sub(l.placed); late < 0 || late >= tick {
			t.Errorf("placed %v after the start is kept as %v later", d, late)
		}
		if early := l.changed.Sub(got.changed); early < 0 || early >= tick {
			t.Errorf("changed %v after the start is kept as %v earlier", d, early)
		}
	}
	unknown := lineOf(1, jobs.Pending)
	unknown.changed = time.Time{}
	v := newView()
	v.put(unknown)
	if got, _ := v.line(unknown.id); !got.changed.IsZero() {
		t.Errorf("a change of which nothing is known is kept as one at %v", got.changed)
	}
}
