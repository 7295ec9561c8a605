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
	data  []byte // the file from its beginning, or what follows q.end
	whole bool
}

// look reads the file and takes in what is new. errBusy means that it could
// not be read safely just now.
func (q *queueFile) look(ctx context.Context) error {
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
	if s.whole {
		begun := time.Now()
		q.ingestTook = 0
		err = q.digestWhole(ctx, s)
		q.lookTook = time.Since(begun) - q.ingestTook
	} else {
		err = q.digestNew(ctx, s)
	}
	if err != nil {
		return err
	}
	q.info, q.again = s.info, false
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
	s := sight{guard: g, info: info}
	if !q.whole && q.info != nil && (info.Size() > smallFile || g == bare) {
		if fresh, ok := q.readNew(f, info); ok {
			s.data = fresh
			return s, nil
		}
	}
	if g == bare && time.Since(writtenAt(info)) < removalQuiet && q.info != nil {
		return sight{}, errBusy // somebody rewrites it at this moment
	}
	s.whole = true
	if s.data, err = readFrom(f, 0); err != nil {
		return sight{}, fmt.Errorf("reading %s: %w", q.name, err)
	}
	return s, nil
}

// readNew reads what follows q.end, if the file is the one it was and what
// stands below q.end is still there.
func (q *queueFile) readNew(f *os.File, info os.FileInfo) ([]byte, bool) {
	if !os.SameFile(info, q.info) || info.Size() <= q.end {
		return nil, false
	}
	from := q.end - int64(len(q.tail))
	b := make([]byte, info.Size()-from)
	n, err := f.ReadAt(b, from)
	if err != nil && err != io.EOF || n < len(q.tail) || !bytes.Equal(b[:len(q.tail)], q.tail) {
		return nil, false
	}
	return b[len(q.tail):n], true
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
	d := q.newDigest(q.end, q.lines)
	if err := d.read(ctx, s.data); err != nil {
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
	for l := range d.present.all() {
		q.view.put(l)
	}
	q.settle(d, s.data)
	q.whole = false
	return nil
}

// digestWhole goes through the whole file: what is new, what moved, what is
// missing, what somebody changed.
func (q *queueFile) digestWhole(ctx context.Context, s sight) error {
	d := q.newDigest(0, 0)
	d.whole = true
	d.seenUntil = writtenAt(s.info).Add(-unseenWindow)
	if err := d.read(ctx, s.data); err != nil {
		return err
	}
	d.unended()
	d.raws = append(d.raws, q.rest(ctx, d, s)...)

	var missing []viewLine
	for l := range q.view.all() {
		if !d.present.has(l.id) {
			missing = append(missing, l)
		}
	}
	rewritten := q.rewritten(d, s) || len(missing) > 0
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
		q.renamed(d)
	}
	if err := q.miss(ctx, d, missing); err != nil {
		return err
	}
	if marks {
		if err := q.mark(ctx, d.end); err != nil {
			return err
		}
	}
	q.view = d.present
	q.drops = d.drops
	q.settle(d, s.data)
	q.whole = false
	return nil
}

// rewritten reports whether the file is more than what it was with something
// appended.
func (q *queueFile) rewritten(d *digest, s sight) bool {
	if q.info == nil {
		return false
	}
	if d.moved || !os.SameFile(s.info, q.info) || s.info.Size() < q.end {
		return true
	}
	from := q.end - int64(len(q.tail))
	return !bytes.HasPrefix(s.data[from:], q.tail)
}

// settle notes what is known of the file after a look. data is what was read.
func (q *queueFile) settle(d *digest, data []byte) {
	if !d.whole {
		q.drops = append(q.drops, d.drops...)
		data = concat(q.tail, data[:d.end-q.end])
	} else {
		data = data[:d.end]
	}
	keep := int64(tailSize)
	for start := range q.leaving() {
		keep = max(keep, d.end-start)
	}
	if keep = min(keep, maxRewrite); int64(len(data)) > keep {
		data = data[int64(len(data))-keep:]
	}
	q.tail = bytes.Clone(data)
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
	raw := rawLine{stretch: stretch{d.end, len(d.rest)}, number: d.lines + 1, raw: d.rest}
	if l, ok := parseViewLine(d.rest); ok && q.known(ctx, l.id) {
		d.drops = append(d.drops, raw.stretch) // a torn line of ours
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
	q.info, q.whole = nil, true
	return q.look(ctx)
}
