package watcher

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// swept is a line that asks for n jobs, each with so many bytes of text.
func swept(n, bytes int) string {
	return fmt.Sprintf(`{"type":"sleep","args":["{n}"],"labels":{"pad":"%s"},"foreach":{"n":[%s]}}`,
		strings.Repeat("x", bytes), strings.TrimSuffix(strings.Repeat("1,", n), ","))
}

func TestLinesAreCommittedInBatches(t *testing.T) {
	d := newDesk(t)
	q, err := newQueueFile(d.options())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	plain := slices.Repeat([]string{"sleep 1"}, 1200)
	for _, tt := range []struct {
		name  string
		lines []string
		want  int // lines of the first batch
	}{
		{"plain", plain, 1000},
		{"comments", slices.Repeat([]string{"# no request"}, 1200), 1000},
		{"small sweeps", slices.Repeat([]string{swept(300, 0)}, 5), 4},
		{"a large one", append([]string{"sleep 1", swept(2000, 0)}, plain...), 2},
		{"long texts", slices.Repeat([]string{swept(200, 30_000)}, 6), 3},
	} {
		raws := rawLines(q, tt.lines)
		if asked, err := q.batch(raws); err != nil || len(asked) != tt.want {
			t.Errorf("%s: %d lines, %v; want %d", tt.name, len(asked), err, tt.want)
		}
	}
}

// Each of the lines may be taken, but all at once would be too much.
func TestLinesThatWaitForManyAreTakenInTurn(t *testing.T) {
	d := newDesk(t)
	const group = "11111111-0000-4000-8000-000000000000"
	sweep := strings.Replace(swept(10_000, 0), "{", `{"id":"`+group+`",`, 1)
	waiting := `{"type":"sleep","args":["2"],"after_any":["` + group + `"]}`
	d.append(sweep + "\n" + strings.Repeat(waiting+"\n", 12) +
		`{"type":"sleep","args":["2"],"after":["22222222"]}` + "\nsleep 3\n")
	d.start()
	var others []*jobs.Job
	d.until("all lines are taken", func() bool {
		others = slices.DeleteFunc(d.jobs(), func(j *jobs.Job) bool { return j.Group != "" })
		return len(others) == 14
	})
	for _, j := range others {
		switch {
		case j.State == jobs.Pending:
		case j.State == jobs.Rejected && strings.Contains(j.Reason, `job_queue.txt:14:39: no job "22222222" is known`):
		default:
			t.Errorf("%s is %s: %s", j.ID, j.State, j.Reason)
		}
	}
}

func TestManyBadLinesAreNotAllGivenHints(t *testing.T) {
	d := newDesk(t)
	q, err := newQueueFile(d.options())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	raws := rawLines(q, slices.Repeat([]string{"slep 1"}, 200))
	asked, err := q.batch(raws)
	if err != nil {
		t.Fatal(err)
	}
	for i, entries := range asked {
		want := fmt.Sprintf(`job_queue.txt:%d: unknown type "slep"`, i+1)
		if i < 50 {
			want += `; did you mean "sleep"?`
		}
		if got := entries[0].Job.Reason; got != want {
			t.Errorf("line %d: %s, want %s", i+1, got, want)
		}
	}
}

// Lines that were taken stay known if the database cannot be asked for others.
func TestTakenLinesStayKnown(t *testing.T) {
	d := newDesk(t)
	q, err := newQueueFile(d.options())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	q.view.put(lineOf(1, jobs.Pending))
	look := q.newDigest(0, 0)
	look.raws = rawLines(q, []string{"sleep 1"})
	q.taken = []jobs.Taken{{Length: int64(len("sleep 1\n")), Hash: look.raws[0].hash, Job: idOf(1).String()}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.match(ctx, look, look.present.missing(), true); err == nil {
		t.Fatal("the queue was asked in vain, and there is no error")
	}
	if len(q.taken) != 1 {
		t.Errorf("%d lines are known to have been taken, want 1", len(q.taken))
	}
}

// rawLines are lines as a look of q has just read them.
func rawLines(q *queueFile, lines []string) (raws []rawLine) {
	q.texts = window{0, []byte(strings.Join(lines, "\n") + "\n")}
	eachLine(q.texts.data, 0, func(start int64, raw []byte) {
		raws = append(raws, newRawLine(start, raw, len(raws)+1))
	})
	return raws
}
