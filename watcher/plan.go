package watcher

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// plan is a change of a stretch of the queue file that a crash could tear: the
// bytes from an offset to the end of the file as they were, and as they are to
// be. It is on disk, in the state folder, before the file is touched, so that
// a torn change is recognised and finished at the next start.
type plan struct {
	Generation uuid.UUID // of the offsets of the taken lines in the database
	From       int64
	Old        []byte     // file[From:] as it was
	New        []byte     // file[From:] as it is to be
	Blanks     []blanking // ahead of From, over which spaces are written after that
	done       bool       // it was carried out; the database may not know it yet
}

// took reports whether the plan has taken the line t out of the file.
func (pl plan) took(t jobs.Taken) bool {
	if t.GoneAt != 0 || t.Generation != pl.Generation.String() {
		return false
	}
	stood := func(text []byte, from int64) bool {
		at := t.Offset - from
		return at >= 0 && at+t.Length <= int64(len(text)) && jobs.RawHash(text[at:at+t.Length]) == t.Hash
	}
	return pl.done && stood(pl.Old, pl.From) ||
		slices.ContainsFunc(pl.Blanks, func(b blanking) bool { return b.done && stood(b.old, b.start) })
}

// planFile keeps the newest plan. It is opened once, written in place, marked
// when the plan was carried out, and emptied when the database knows that.
type planFile struct {
	f *os.File
}

const (
	planMagic = "jobrunner plan 4\n"
	doneMagic = "jobrunner done 4\n" // of the same length
	planHead  = len(planMagic) + 16 + 32
	blankHead = 24
	planPiece = 64 << 10 // bytes that are gathered for one write
)

func openPlanFile(path string) (*planFile, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &planFile{f}, nil
}

func (p *planFile) Close() error { return p.f.Close() }

// write stores pl; with sync it is on disk when write returns.
func (p *planFile) write(pl plan, sync bool) error {
	head := make([]byte, 0, planHead)
	head = append(head, planMagic...)
	head = append(head, pl.Generation[:]...)
	head = binary.BigEndian.AppendUint64(head, uint64(pl.From))
	head = binary.BigEndian.AppendUint64(head, uint64(len(pl.Old)))
	head = binary.BigEndian.AppendUint64(head, uint64(len(pl.New)))
	head = binary.BigEndian.AppendUint64(head, uint64(len(pl.Blanks)))
	parts := [][]byte{head, pl.Old, pl.New}
	for _, b := range pl.Blanks {
		head := binary.BigEndian.AppendUint64(nil, uint64(b.start))
		head = binary.BigEndian.AppendUint64(head, uint64(len(b.old)))
		parts = append(parts, binary.BigEndian.AppendUint64(head, uint64(len(b.behind))), b.old, b.behind)
	}
	sum := crc32.NewIEEE()
	w := bufio.NewWriterSize(io.NewOffsetWriter(p.f, 0), planPiece)
	for _, part := range parts {
		sum.Write(part)
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if sync {
		return p.f.Sync()
	}
	return nil
}

// done notes that the plan was carried out. Until clear it says which taken
// lines have left the file; a line of the same words is then another one.
func (p *planFile) done() error {
	_, err := p.f.WriteAt([]byte(doneMagic), 0)
	return err
}

// clear forgets the plan. It need not be on disk: a plan whose change was
// carried out is recognised as such.
func (p *planFile) clear() error { return p.f.Truncate(0) }

// read returns the stored plan, or false if there is none or it was not
// written to its end: then its change was not begun.
func (p *planFile) read() (plan, bool, error) {
	b, err := io.ReadAll(io.NewSectionReader(p.f, 0, 1<<40))
	if err != nil {
		return plan{}, false, err
	}
	if len(b) < planHead+4 {
		return plan{}, false, nil
	}
	pl := plan{done: string(b[:len(doneMagic)]) == doneMagic}
	if pl.done {
		copy(b, planMagic) // as the sum was made of it
	}
	if string(b[:len(planMagic)]) != planMagic {
		return plan{}, false, nil
	}
	rest := b[len(planMagic):]
	copy(pl.Generation[:], rest)
	number := func(i int) uint64 { return binary.BigEndian.Uint64(rest[16+8*i:]) }
	pl.From = int64(number(0))
	nOld, nNew, nBlanks := number(1), number(2), number(3)
	body := planBody{b[planHead:]}
	pl.Old, pl.New = body.take(nOld), body.take(nNew)
	for range min(nBlanks, uint64(len(body.b)/blankHead)) {
		head := body.take(blankHead)
		if len(head) < blankHead {
			break
		}
		b := blanking{start: int64(binary.BigEndian.Uint64(head))}
		b.old = body.take(binary.BigEndian.Uint64(head[8:]))
		b.behind = body.take(binary.BigEndian.Uint64(head[16:]))
		pl.Blanks = append(pl.Blanks, b)
	}
	end := len(b) - len(body.b)
	if len(body.b) < 4 || crc32.ChecksumIEEE(b[:end]) != binary.BigEndian.Uint32(body.b) {
		return plan{}, false, nil
	}
	return pl, true, nil
}

// planBody is what stands behind the head of a plan file.
type planBody struct{ b []byte }

// take gives the next n bytes; fewer if there are not as many.
func (p *planBody) take(n uint64) []byte {
	n = min(n, uint64(len(p.b)))
	part := p.b[:n:n]
	p.b = p.b[n:]
	return part
}

// torn says what a crash in the middle of the plan left of it. found is what
// now stands at From and after. It returns the bytes that are to stand there
// instead, or false if nothing is to be done: the change was not begun, was
// finished, or somebody else has changed the file since.
//
// A change is one write over Old, then a cut at New's end. The kernel gives up a
// write only between two pages, so a crash leaves over[:n] + Old[n:] for some n
// that ends at a page's border, or all of it, not cut; what other programs
// appended since stands behind that.
func (pl plan) torn(found []byte) ([]byte, bool) {
	over := pl.over()
	if behind, ok := bytes.CutPrefix(found, over); ok {
		return concat(pl.New, behind), len(pl.New) < len(over)
	}
	same := commonPrefix(found, over)
	border := int((pl.From + int64(same)) / pageSize * pageSize)
	begun := commonPrefix(pl.Old, over) // up to there it is as it was
	for n := border - int(pl.From); n > begun; n -= pageSize {
		behind, ok := found[n:], true
		if n < len(pl.Old) {
			behind, ok = bytes.CutPrefix(behind, pl.Old[n:])
		}
		if ok {
			return concat(pl.New, behind), true
		}
	}
	return nil, false
}

// over is what is written over Old: New, with spaces up to Old's end. Whoever
// reads the file before it is cut, or takes a copy of it after a crash, sees no
// line twice and none that is half. It may take up the spare room behind New.
func (pl plan) over() []byte {
	if len(pl.New) >= len(pl.Old) {
		return pl.New
	}
	return append(pl.New, bytes.Repeat([]byte{' '}, len(pl.Old)-len(pl.New))...)
}

// carryOut writes the plan over what stands in f. errBroken means that the
// exclusive section, entered at that time, did not last; zero means that there
// is none.
func (pl plan) carryOut(f *os.File, entered time.Time) error {
	if _, err := f.WriteAt(pl.over(), pl.From); err != nil {
		return err
	}
	if len(pl.New) < len(pl.Old) {
		jobs.Step("queue file: written over, not cut")
		if !entered.IsZero() && !lasts(f, entered) {
			return errBroken
		}
		return f.Truncate(pl.From + int64(len(pl.New)))
	}
	return nil
}

// carriedOut reports whether found is what the plan was to make, and not what
// it was made of. What it took out is gone, then, even if a line of the same
// words now stands in that place.
func (pl plan) carriedOut(found []byte) bool {
	return bytes.HasPrefix(found, pl.New) && !bytes.HasPrefix(found, pl.Old)
}

// undo puts back what stood in f before a plan that could not be carried out to
// its end. That takes no room on most disks.
func (pl plan) undo(f *os.File) error {
	if _, err := f.WriteAt(pl.Old, pl.From); err != nil {
		return err
	}
	return f.Truncate(pl.From + int64(len(pl.Old)))
}

// finish repairs the queue file at path after a crash, and gives the plan of
// which something was carried out, now or before; ok is false if nothing was.
// errBusy means that it is to be tried again.
func (p *planFile) finish(path string) (pl plan, repaired, ok bool, err error) {
	pl, ok, err = p.read()
	if err != nil || !ok || pl.done && pl.stands(path) {
		return pl, false, ok, err
	}
	entered := time.Now()
	f, err := openExclusive(path, true)
	if errors.Is(err, os.ErrNotExist) {
		return plan{}, false, false, p.clear()
	}
	if err != nil {
		return plan{}, false, false, err
	}
	defer f.Close()
	if repaired, err = pl.finishBlanks(f, entered); err != nil {
		return plan{}, repaired, false, err
	}
	found, err := readFrom(f, pl.From)
	if err != nil {
		return plan{}, false, false, err
	}
	blanked := pl.noteBlanked(f, found)
	if pl.done && pl.standsIn(found) {
		return pl, repaired, true, nil
	}
	pl.done = false
	whole, ok := pl.mended(found)
	if !ok && pl.carriedOut(found) {
		pl.done = true
		return pl, repaired, true, p.done()
	}
	if !ok && blanked {
		return pl, repaired, true, nil
	}
	if !ok {
		return plan{}, repaired, false, p.clear()
	}
	mended := plan{Generation: pl.Generation, From: pl.From, Old: found, New: whole}
	if !bytes.Equal(whole, pl.New) { // else the plan that is there also repairs this, and knows what it took out
		if err := p.write(mended, true); err != nil {
			return plan{}, false, false, errors.Join(err, p.write(pl, true)) // it has room, and is needed
		}
	}
	jobs.Step("queue file: repair planned")
	if !lasts(f, entered) {
		return plan{}, false, false, errBusy
	}
	if err := mended.carryOut(f, entered); errors.Is(err, errBroken) {
		return plan{}, false, false, errBusy
	} else if err != nil {
		return plan{}, false, false, err
	}
	if err := f.Sync(); err != nil {
		return plan{}, false, false, err
	}
	jobs.Step("queue file: repaired")
	pl.done = true
	return pl, true, true, p.done()
}

// readFrom reads what stands in f from offset from to its end.
func readFrom(f *os.File, from int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() <= from {
		return nil, nil
	}
	b := make([]byte, info.Size()-from)
	n, err := f.ReadAt(b, from)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}

func concat(a, b []byte) []byte {
	return append(append(make([]byte, 0, len(a)+len(b)), a...), b...)
}

func commonPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
