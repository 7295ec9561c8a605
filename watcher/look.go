package watcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// guard says what a look at the file was protected by.
type guard int

const (
	bare      guard = iota // nothing: somebody may be writing
	quiet                  // nobody had it open for writing
	exclusive              // nobody had it open
)

// sight is what one look has read.
type sight struct {
	guard guard
	info  os.FileInfo
	d     *digest
	texts window // what was read last
	below window // what stands below the end of what was read: maxRewrite bytes, or down to the old tail
	stood bool   // what stood below q.end is still there
}

// look reads the file and takes in what is new. errBusy means that it could
// not be read safely just now.
func (q *queueFile) look(ctx context.Context) error {
	begun := time.Now()
	s, err := q.read()
	jobs.Step("queue file: read")
	if errors.Is(err, os.ErrNotExist) {
		return q.absent(ctx)
	}
	if err != nil {
		return err
	}
	q.absentSince, q.guard = time.Time{}, s.guard
	switch {
	case q.info == nil: // the first look: the file itself says when
		q.foreign = writtenAt(s.info)
	case !unchanged(s.info, q.info):
		q.foreign = time.Now()
	}
	q.texts = s.texts
	if s.d.whole {
		q.ingestTook = 0
		err = q.digestWhole(ctx, s)
		q.lookTook = time.Since(begun) - q.ingestTook
	} else {
		err = q.digestNew(ctx, s)
	}
	if err != nil {
		return err
	}
	q.info, q.again, q.unread = s.info, false, s.d.cut
	return nil
}

// read reads what is needed of the file under the best protection to be had.
func (q *queueFile) read() (sight, error) {
	f, g, err := q.open()
	if err != nil {
		return sight{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return sight{}, fmt.Errorf("reading %s: %w", q.name, err)
	}
	if info.Size() > maxFile {
		return sight{}, fmt.Errorf("reading %s: it is larger than %d MiB", q.name, maxFile>>20)
	}
	s := sight{guard: g, info: info, stood: q.stands(f, info)}
	if !q.whole && s.stood && info.Size() > q.end && (info.Size() > smallFile || g == bare) {
		s.d = q.newDigest(q.end, q.lines)
	} else {
		if g == bare && time.Since(writtenAt(info)) < removalQuiet && q.info != nil {
			return sight{}, errBusy // somebody rewrites it at this moment
		}
		s.d = q.newDigest(0, 0)
		s.d.whole, s.d.seenUntil = true, writtenAt(info).Add(-unseenWindow)
	}
	if err := s.read(q, f); err != nil {
		return sight{}, fmt.Errorf("reading %s: %w", q.name, err)
	}
	if g == exclusive && !lasts(f, q.entered) { // others were let in meanwhile
		return sight{}, errBusy
	}
	return s, nil
}

// read sorts the lines of f, and keeps what stands below the end of them.
func (s *sight) read(q *queueFile, f *os.File) (err error) {
	if s.texts, err = s.d.read(f, s.info.Size()); err != nil {
		return err
	}
	end := s.d.end + int64(len(s.d.rest))
	from := max(0, s.d.end-maxRewrite)
	if !s.d.whole {
		from = max(from, q.end-int64(len(q.tail)))
	}
	s.below = window{from, make([]byte, end-from)}
	n, err := f.ReadAt(s.below.data, from)
	if err == io.EOF && int64(n) == end-from {
		err = nil
	}
	return err
}

// stands reports whether f is the file that it was, and what stood below q.end
// is still there.
func (q *queueFile) stands(f *os.File, info os.FileInfo) bool {
	if q.info == nil || !os.SameFile(info, q.info) || info.Size() < q.end {
		return false
	}
	b := make([]byte, len(q.tail))
	n, _ := f.ReadAt(b, q.end-int64(len(q.tail)))
	return n == len(b) && bytes.Equal(b, q.tail)
}

// open opens the file for a look. The exclusive section is tried for a few
// milliseconds; where it was not to be had for busyPatience, a lesser
// protection will do.
func (q *queueFile) open() (*os.File, guard, error) {
	if q.side != "" {
		f, err := openPlain(q.o.Path)
		return f, bare, err
	}
	f, err := q.openExclusive(false)
	if err == nil || !errors.Is(err, errBusy) {
		return f, exclusive, err
	}
	if !q.longBusy() {
		return nil, bare, errBusy
	}
	if f, err = openQuiet(q.o.Path); err == nil || !errors.Is(err, errBusy) {
		return f, quiet, err
	}
	f, err = openPlain(q.o.Path)
	return f, bare, err
}

// openExclusive enters an exclusive section, or notes since when there is none
// to be had.
func (q *queueFile) openExclusive(write bool) (f *os.File, err error) {
	tries := 6
	if q.longBusy() {
		tries = 1
	}
	pause := 200 * time.Microsecond
	for i := range tries {
		if i > 0 {
			time.Sleep(jitter(pause))
			pause *= 2
		}
		q.entered = time.Now()
		f, err = openExclusive(q.o.Path, write)
		if !errors.Is(err, errBusy) {
			break
		}
	}
	switch {
	case err == nil:
		jobs.Step("queue file: leased")
		if q.longBusy() {
			q.whole = true // it was used without protection meanwhile
		}
		q.busySince = time.Time{}
	case errors.Is(err, errBusy) && q.busySince.IsZero():
		q.busySince = time.Now()
	}
	return f, err
}

func openPlain(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	f, l, err := openRequest(path) // what has the name now may be something else
	if err == nil && !l.mode.IsRegular() {
		f.Close()
		return nil, errBusy
	}
	return f, err
}

func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d)
}

// digestNew takes in what was appended to a file that is otherwise unchanged.
func (q *queueFile) digestNew(ctx context.Context, s sight) error {
	q.whole = true // after an error what was committed is found again by its place
	d := s.d
	if err := d.resolve(ctx); err != nil {
		return err
	}
	d.raws = append(d.raws, q.rest(ctx, d, s)...)
	ingest := q.ingest
	if len(q.backlog) > 0 { // they come after that
		ingest = q.keep
	}
	if err := ingest(ctx, d, d.raws); err != nil {
		return fmt.Errorf("taking in lines: %w", err)
	}
	if err := q.miss(ctx, d, nil); err != nil {
		return err
	}
	d.present.add()
	q.settle(d, s.below)
	q.whole = false
	return nil
}

// digestWhole goes through the whole file: what is new, what moved, what is
// missing, what somebody changed.
func (q *queueFile) digestWhole(ctx context.Context, s sight) error {
	d := s.d
	if err := d.resolve(ctx); err != nil {
		return err
	}
	d.unended()
	d.raws = append(d.raws, q.rest(ctx, d, s)...)

	missing := d.present.missing()
	rewritten := q.info != nil && (d.moved || !s.stood) || len(missing) > 0
	before, stood := len(q.taken), q.standing()
	if rewritten {
		q.generation = uuid.New()
		if q.info != nil {
			q.o.Log.Info().Str("file", q.name).Int("missing", len(missing)).
				Msg("queue file was rewritten by another program; a line appended at that moment may be gone")
		}
	}
	fresh, err := q.match(ctx, d, missing, rewritten)
	if err != nil {
		return err
	}
	// A plan knows taken lines by the generation that the database has of them.
	marks := rewritten || q.info == nil && len(q.taken) > 0 || len(q.taken) < before || q.standing() < stood
	if err := q.ingest(ctx, d, fresh); err != nil {
		return fmt.Errorf("taking in lines: %w", err)
	}
	if len(missing) > 0 {
		if err := q.renamed(d); err != nil {
			return err
		}
	}
	if err := q.miss(ctx, d, missing); err != nil {
		return err
	}
	if marks {
		if err := q.mark(ctx, d.end); err != nil {
			return err
		}
	}
	d.present.settle()
	q.drops = d.drops
	q.settle(d, s.below)
	q.whole = false
	return nil
}

// settle notes what is known of the file after a look. below is what stands
// below its end.
func (q *queueFile) settle(d *digest, below window) {
	if !d.whole {
		q.drops = append(q.drops, d.drops...)
	}
	keep := int64(tailSize)
	for at := range q.leaving() {
		keep = max(keep, d.end-at)
	}
	data := below.data[:d.end-below.start]
	q.tail = bytes.Clone(data[max(0, int64(len(data))-min(keep, maxRewrite)):])
	q.end, q.lines = d.end, d.lines
}

// rest looks after a last line without a line end: it is taken once it has
// stood unchanged for partialWait while nobody was writing.
func (q *queueFile) rest(ctx context.Context, d *digest, s sight) []rawLine {
	text := string(d.rest)
	if len(trimSpace(d.rest)) == 0 {
		q.partial = partial{}
		return nil
	}
	if text != q.partial.text || d.end != q.partial.start {
		q.partial = partial{start: d.end, text: text, since: time.Now()}
		return nil
	}
	if time.Since(q.partial.since) < partialWait {
		return nil
	}
	if s.guard == bare && q.side == "" && time.Since(writtenAt(s.info)) < removalQuiet {
		return nil
	}
	q.partial = partial{}
	raw := newRawLine(d.end, d.rest, d.lines+1)
	if l, ok := parseViewLine(d.rest); ok && q.known(ctx, l.id) {
		d.drops = append(d.drops, raw.stretch()) // a torn line of ours
		d.end += int64(len(d.rest))
		return nil
	}
	d.end += int64(len(d.rest))
	return []rawLine{raw}
}

func (q *queueFile) known(ctx context.Context, id uuid.UUID) bool {
	if q.view.has(id) {
		return true
	}
	_, err := q.o.Queue.Job(ctx, id.String())
	var gone *jobs.PrunedError
	return err == nil || errors.As(err, &gone)
}

// absent is called when the file is not there. Editors take it away for a
// moment; after absentWait it counts as deleted, which is damage and undone.
func (q *queueFile) absent(ctx context.Context) error {
	if q.absentSince.IsZero() {
		q.absentSince = time.Now()
	}
	if time.Since(q.absentSince) < absentWait {
		return nil
	}
	q.o.Log.Warn().Str("file", q.name).Int("lines", q.view.len()).Msg("queue file was deleted, making it again")
	if err := q.create(); err != nil {
		return err
	}
	q.absentSince = time.Time{}
	q.info, q.whole, q.unsure = nil, true, true
	return q.look(ctx)
}
