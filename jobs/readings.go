package jobs

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Measured is a Reading of an attempt that is to be stored.
type Measured struct {
	ID      string // of the job
	Reading *Reading
}

const (
	readingColumns = `r.job, r.attempt, r.read_at, r.output_at, r.percent, r.text, r.source, r.progress_at, r.eta, r.eta_source,
		r.measured, r.cpu, r.cpu_time, r.memory, r.memory_peak, r.processes, r.series, j.state = 'RUNNING' AND j.attempt = r.attempt`
	selectReading = "SELECT " + readingColumns + " FROM readings r JOIN jobs j ON j.id = r.job WHERE r.job = ? AND r.attempt = ?"

	selectReadingsOf = "SELECT " + readingColumns + ` FROM json_each(?) AS w CROSS JOIN readings r ON r.job = w.value
		JOIN jobs j INDEXED BY jobs_id ON j.id = r.job`

	selectReadings = "SELECT " + readingColumns + ` FROM jobs j INDEXED BY jobs_state
		CROSS JOIN readings r ON r.job = j.id AND r.attempt = j.attempt WHERE j.state = 'RUNNING'`

	// A job that was pruned meanwhile gets none.
	putReading = `INSERT OR REPLACE INTO readings (job, attempt, read_at, output_at, percent, text, source, progress_at, eta, eta_source,
		measured, cpu, cpu_time, memory, memory_peak, processes, series)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17
		WHERE EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND attempt >= ?2)`
)

// KeepReadings stores what was measured of attempts, in place of what was
// stored of them before, in one transaction. What is only guessed from earlier
// runs is left out.
func (q *Queue) KeepReadings(ctx context.Context, list []Measured) error {
	err := q.write(ctx, func(t *tx) error {
		for _, m := range list {
			if _, err := t.change(putReading, readingValues(m, t.now)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("storing what was measured of %d jobs: %w", len(list), err)
	}
	return nil
}

// readingValues are the arguments of putReading.
func readingValues(m Measured, now time.Time) []any {
	r := m.Reading
	p, eta, percent, u := Progress{}, int64(-1), any(nil), Usage{}
	if r.Progress != nil && r.Progress.Source != ProgressHistory {
		p = *r.Progress
		if p.Percent != nil {
			percent = *p.Percent
		}
		if p.ETA != nil && p.ETASource != ProgressHistory {
			eta = p.ETA.Milliseconds()
		} else {
			p.ETASource = ""
		}
	}
	if r.Usage != nil {
		u = *r.Usage
	}
	return []any{m.ID, r.Attempt, toMillis(now), toMillis(r.OutputAt), percent, p.Text, p.Source, toMillis(p.At), eta, p.ETASource,
		r.Usage != nil, hundredths(u.CPU), u.CPUTime.Milliseconds(), u.Memory, u.PeakMemory, u.Processes, packSeries(r.Series)}
}

func hundredths(cpu float64) int64 { return int64(math.Round(cpu * 100)) }

// Reading returns what was measured of an attempt of a job, or ErrNotFound. Of
// one that runs it is up to a minute old; who measures it knows more. Of one
// that has ended, the Usage has what it took in all, and nothing that it takes
// now.
func (q *Queue) Reading(ctx context.Context, id string, attempt int) (*Reading, error) {
	var found *Reading
	err := q.read.each(ctx, selectReading, []any{id, attempt}, func(row scanner) (err error) {
		_, found, err = scanReading(row)
		return err
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was measured of job %s: %w", id, err)
	}
	return found, nil
}

// Readings returns what was last stored of the jobs that run, by their id: for
// those who cannot ask who measures them.
func (q *Queue) Readings(ctx context.Context) (map[string]*Reading, error) {
	all := map[string]*Reading{}
	err := q.read.each(ctx, selectReadings, nil, func(row scanner) error {
		id, r, err := scanReading(row)
		all[id] = r
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what was measured: %w", err)
	}
	return all, nil
}

// measured fills in what was measured of the latest attempt of a job that has
// ended.
func (q *Queue) measured(ctx context.Context, j *Job) error {
	if !j.State.Ended() {
		return nil
	}
	r, err := q.Reading(ctx, j.ID, j.Attempt)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		j.Progress, j.Usage = r.Progress, r.Usage
	}
	return err
}

// measuredOf is measured for several jobs that have ended, each once.
func (q *Queue) measuredOf(ctx context.Context, ended []*Job) error {
	if len(ended) == 0 {
		return nil
	}
	byID := map[string]*Job{}
	for _, j := range ended {
		byID[j.ID] = j
	}
	return q.read.each(ctx, selectReadingsOf, []any{packJSON(slices.Collect(maps.Keys(byID)))}, func(row scanner) error {
		id, r, err := scanReading(row)
		if j := byID[id]; err == nil && j.Attempt == r.Attempt {
			j.Progress, j.Usage = r.Progress, r.Usage
		}
		return err
	})
}

// scanReading reads a row of readingColumns.
func scanReading(row scanner) (id string, r *Reading, err error) {
	var (
		p                            Progress
		u                            Usage
		readAt, outputAt, progressAt int64
		eta, cpu, cpuTime            int64
		percent                      sql.NullFloat64
		measured, running            bool
		series                       []byte
	)
	r = &Reading{}
	err = row.Scan(&id, &r.Attempt, &readAt, &outputAt, &percent, &p.Text, &p.Source, &progressAt, &eta, &p.ETASource,
		&measured, &cpu, &cpuTime, &u.Memory, &u.PeakMemory, &u.Processes, &series, &running)
	if err != nil {
		return "", nil, err
	}
	r.OutputAt = fromMillis(outputAt)
	if p.Source != "" {
		p.At = fromMillis(progressAt)
		if percent.Valid {
			p.Percent = &percent.Float64
		}
		if left := time.Duration(eta)*time.Millisecond - time.Since(fromMillis(readAt)); eta >= 0 && running {
			left = max(0, left)
			p.ETA = &left
		} else {
			p.ETASource = ""
		}
		r.Progress = &p
	}
	if measured {
		u.CPU, u.CPUTime = float64(cpu)/100, time.Duration(cpuTime)*time.Millisecond
		if !running {
			u.CPU, u.Memory, u.Processes = 0, 0, 0
		}
		r.Usage = &u
	}
	r.Series, err = unpackSeries(series)
	return id, r, err
}

// seriesVersion is the first byte of a series as it is stored.
const seriesVersion = 1

// packSeries writes points as varints: of each its time in ms since the one
// before, processors in hundredths, memory in KiB.
func packSeries(points []Point) []byte {
	if len(points) == 0 {
		return []byte{}
	}
	b := append(make([]byte, 0, 1+8*len(points)), seriesVersion)
	var last int64
	for _, p := range points {
		at := toMillis(p.At)
		b = binary.AppendVarint(b, at-last)
		b = binary.AppendVarint(b, hundredths(p.CPU))
		b = binary.AppendVarint(b, p.Memory>>10)
		last = at
	}
	return b
}

func unpackSeries(b []byte) ([]Point, error) {
	if len(b) == 0 {
		return nil, nil
	}
	damaged := errors.New("the series of what was measured is damaged")
	if b[0] != seriesVersion {
		return nil, damaged
	}
	var points []Point
	var at int64
	for b = b[1:]; len(b) > 0; {
		var v [3]int64
		for i := range v {
			x, n := binary.Varint(b)
			if n <= 0 {
				return nil, damaged
			}
			v[i], b = x, b[n:]
		}
		at += v[0]
		points = append(points, Point{At: fromMillis(at), CPU: float64(v[1]) / 100, Memory: v[2] << 10})
	}
	return points, nil
}
