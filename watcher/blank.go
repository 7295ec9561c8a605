package watcher

import (
	"bytes"
	"cmp"
	"maps"
	"os"
	"slices"

	"jobrunner/jobs"
)

// What is to leave the file far ahead of its end is not cut out, for that the
// rest would have to be written anew: spaces are written over it, over its line
// end too, so that it becomes leading spaces of the next line.

// blanking is a part of the file that is to be blanked: whole lines, one after
// the other.
type blanking struct {
	start  int64
	texts  []blankText
	old    []byte // as it must be found
	behind []byte // the first of what follows and stays
	done   bool   // it was found blanked after a crash
}

type blankText struct {
	length int
	hash   uint64 // of the line that was taken there; 0 if none was
}

// blankToo adds a text, which stands behind all that are to be blanked already.
func blankToo(all []blanking, start int64, t blankText) []blanking {
	if n := len(all); n > 0 {
		last := &all[n-1]
		if start == last.end() {
			last.texts = append(last.texts, t)
			last.old = append(last.old, make([]byte, t.length)...)
			return all
		}
	}
	return append(all, blanking{start: start, texts: []blankText{t}, old: make([]byte, t.length)})
}

// end is where what follows begins.
func (b *blanking) end() int64 { return b.start + int64(len(b.old)) }

// hashes gives those of the taken lines that still stand in the file.
func (q *queueFile) hashes() map[int64]uint64 {
	all := map[int64]uint64{}
	for _, t := range q.taken {
		if t.GoneAt == 0 {
			all[t.Offset] = t.Hash
		}
	}
	return all
}

// read reads what is to be blanked, and a few bytes of what follows up to an
// offset; false if it is not all there. A NUL that stands before it, half of a line
// end in UTF-16, goes too.
func (b *blanking) read(f *os.File, to int64) bool {
	n, _ := f.ReadAt(b.old, b.start)
	if n < len(b.old) {
		return false
	}
	b.behind = make([]byte, min(pageSize, to-b.end()))
	if n, _ = f.ReadAt(b.behind, b.end()); n < len(b.behind) {
		return false
	}
	b.behind = b.behind[:min(len(b.behind), leading(b.behind)+fewBytes)]
	var before [1]byte
	if m, _ := f.ReadAt(before[:], b.start-1); b.start > 0 && m == 1 && before[0] == 0 {
		b.start--
		b.old = slices.Insert(b.old, 0, 0)
		b.texts[0].length++
	}
	return true
}

// holds reports whether what was read are lines that were taken.
func (b *blanking) holds() bool {
	rest := b.old
	for _, t := range b.texts {
		if t.hash == 0 || jobs.RawHash(rest[:t.length]) != t.hash {
			return false
		}
		rest = rest[t.length:]
	}
	return true
}

// stands reports whether all is as it was when it was planned to go.
func (b *blanking) stands(f *os.File) bool { return standsAt(f, b.start, b.old) }

// blanked says how far a stretch has got its spaces.
type blanked int

const (
	notBlank  blanked = iota // not at all, or somebody has changed it
	halfBlank                // some of its pages
	allBlank
)

// find looks how far the stretch was blanked. A crash and a power cut leave each
// page as it was or as it was to be, or zeros if it had never got to the disk.
func (b *blanking) find(f *os.File) blanked {
	was, is := false, false
	for at := 0; at < len(b.old); {
		border := pageSize - int(b.start+int64(at))%pageSize
		old := b.old[at:min(at+border, len(b.old))]
		switch blank := spaces[:len(old)]; {
		case bytes.Equal(old, blank):
			if !standsAt(f, b.start+int64(at), blank) {
				return notBlank
			}
		case standsAt(f, b.start+int64(at), blank):
			is = true
		case standsAt(f, b.start+int64(at), old), standsAt(f, b.start+int64(at), zeros[:len(old)]):
			was = true
		default:
			return notBlank
		}
		at += len(old)
	}
	switch {
	case !is:
		return notBlank
	case was:
		return halfBlank
	}
	return allBlank
}

// What a page of a stretch can hold beside what stood there.
var (
	spaces = bytes.Repeat([]byte{' '}, pageSize)
	zeros  = make([]byte, pageSize)
)

// write writes the spaces.
func (b *blanking) write(f *os.File) error {
	_, err := f.WriteAt(bytes.Repeat([]byte{' '}, len(b.old)), b.start)
	return err
}

// blanksBefore counts the blanks that stand in f before an offset, but no more
// than most: they belong to what stands there, and leave the file with it.
func blanksBefore(f *os.File, at, most int64) (n int64) {
	buf := make([]byte, pageSize)
	for n < most && at > 0 {
		before := buf[:min(at, int64(len(buf)), most-n)]
		at -= int64(len(before))
		if m, _ := f.ReadAt(before, at); m < len(before) {
			return n
		}
		text := len(bytes.TrimRight(before, blanks))
		n += int64(len(before) - text)
		if text > 0 {
			return n
		}
		buf = make([]byte, min(2*len(buf), pieceSize))
	}
	return n
}

// blank blanks a stretch. What cannot be blanked has not left the file.
func (q *queueFile) blank(f *os.File, e *edit, b blanking) {
	if err := b.write(f); err != nil {
		q.distrust()
		q.o.Log.Error().Err(err).Str("file", q.name).Msg("taken line cannot be blanked, trying again")
		maps.DeleteFunc(e.gone, func(at int64, _ int) bool { return at >= b.start && at < b.end() })
		return
	}
	q.lines -= bytes.Count(b.old, []byte{'\n'})
	jobs.Step("queue file: blanked")
}

// waitingFrom gives the lines of the backlog that stand at an offset or behind.
func (q *queueFile) waitingFrom(at int64) []rawLine {
	n, _ := slices.BinarySearchFunc(q.backlog, at, func(r rawLine, at int64) int { return cmp.Compare(int64(r.at), at) })
	return q.backlog[n:]
}

// renumber counts the lines that wait without those that an edit takes out
// before them. If it is not carried out to its end all are looked at again.
func (q *queueFile) renumber(e *edit) {
	if len(q.backlog) == 0 {
		return
	}
	n, gone := 0, slices.Sorted(maps.Keys(e.gone))
	for i := range q.backlog {
		r := &q.backlog[i]
		for n < len(gone) && gone[n] < int64(r.at) {
			n++
		}
		r.number -= uint32(n)
	}
}
