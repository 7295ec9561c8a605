package watcher

import (
	"bytes"
	"os"
	"slices"
	"time"
)

// A power cut leaves of a change what the kernel happened to have written: of
// each page the old bytes or the new ones, or zeros where only the file's new
// size got to the disk. (A process that is killed leaves less of a muddle, see
// plan.torn.) The file is synced before the next plan is written, so it is
// never the muddle of two changes.

// mended says what is to stand at From and after, if found is what a crash or a
// power cut has left there; false if nothing is to be done.
func (pl plan) mended(found []byte) ([]byte, bool) {
	whole, ok := pl.mixed(found)
	if !ok {
		whole, ok = pl.torn(found)
	}
	if !ok {
		whole, ok = pl.shortOf(found)
	}
	return bytes.TrimRight(whole, "\x00"), ok // zeros: a size that got to the disk before the bytes
}

// mixed says what is to stand at From and after if found is such a muddle of Old
// and New; false if it is the one or the other, or somebody else has changed it.
func (pl plan) mixed(found []byte) ([]byte, bool) {
	most := max(len(pl.Old), len(pl.New))
	over := pl.over()
	fresh := len(found) == len(pl.New) && len(found) < len(pl.Old) // cut, and else as it was
	for at := 0; at < min(most, len(found)); {
		border := int((pl.From+int64(at))/pageSize*pageSize + pageSize - pl.From)
		part := found[at:min(border, most, len(found))]
		switch {
		case partOf(pl.Old, part, at):
		case partOf(over, part, at), partOf(pl.New, part, at):
			fresh = true
		case at < len(pl.New) && bytes.HasPrefix(part, pl.New[at:]): // others have appended behind it
			return unless(concat(pl.New, found[len(pl.New):]), found)
		default:
			return nil, false
		}
		at += len(part)
	}
	if !fresh {
		return nil, false
	}
	return unless(concat(pl.New, found[min(most, len(found)):]), found)
}

// fewBytes are enough to tell how one of our texts goes on from another's.
const fewBytes = 16

// shortOf is mixed for a file that got the smaller one of its two sizes, and to
// which others have since appended.
func (pl plan) shortOf(found []byte) ([]byte, bool) {
	short, long := pl.Old, pl.New
	if len(short) > len(long) {
		short, long = long, short
	}
	n := len(short)
	if n == len(long) || n >= len(found) || bytes.HasPrefix(found, short) {
		return nil, false
	}
	if bytes.HasPrefix(found[n:], long[n:min(n+fewBytes, len(long))]) {
		return nil, false // it was not cut there, and was changed otherwise
	}
	whole, ok := pl.mixed(found[:n])
	return concat(whole, found[n:]), ok
}

// unless gives whole, unless that is what was found.
func unless(whole, found []byte) ([]byte, bool) {
	if bytes.Equal(whole, found) {
		return nil, false
	}
	return whole, true
}

// partOf reports whether part is what stands in text from at on, with zeros
// behind its end or in place of it all.
func partOf(text, part []byte, at int) bool {
	n := min(len(part), max(0, len(text)-at))
	zeros := func(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
	return zeros(part) || n > 0 && bytes.Equal(part[:n], text[at:at+n]) && zeros(part[n:])
}

// stands reports whether the file at path still has what the plan, which was
// carried out, has written there. Where that got lost the lines that it took out
// may be back. If somebody else has changed the file since, it is to be believed.
func (pl plan) stands(path string) bool {
	f, err := openPlain(path)
	if err != nil {
		return true
	}
	defer f.Close()
	found, err := readFrom(f, pl.From)
	pl.noteBlanked(f, found)
	half := func(b blanking) bool { return b.find(f) == halfBlank }
	return !slices.ContainsFunc(pl.Blanks, half) && (err != nil || pl.standsIn(found))
}

// finishBlanks writes the spaces of stretches that have got only some of them,
// and reports whether there were any. What is left of their lines would be glued
// to the next line. entered is as for carryOut.
func (pl plan) finishBlanks(f *os.File, entered time.Time) (some bool, err error) {
	for _, b := range pl.Blanks {
		if b.find(f) != halfBlank {
			continue
		}
		if !lasts(f, entered) {
			return some, errBusy
		}
		if err := b.write(f); err != nil {
			return some, err
		}
		some = true
	}
	if some {
		err = f.Sync()
	}
	return some, err
}

// noteBlanked notes which stretches have got their spaces, and reports whether
// any has. found is what stands at From and after. Where that, or what is to follow
// a stretch, stands elsewhere, the file was shifted, and the spaces are other ones.
func (pl plan) noteBlanked(f *os.File, found []byte) (some bool) {
	begins := func(text []byte) bool { return bytes.HasPrefix(found, text[:min(fewBytes, len(text))]) }
	if !begins(pl.Old) && !begins(pl.New) {
		return false
	}
	for i := range pl.Blanks {
		b := &pl.Blanks[i]
		b.done = standsAt(f, b.end(), b.behind) && b.find(f) == allBlank
		some = some || b.done
	}
	return some
}

func (pl plan) standsIn(found []byte) bool {
	_, mixed := pl.mixed(found)
	if _, short := pl.shortOf(found); mixed || short {
		return false
	}
	return bytes.HasPrefix(found, pl.New) || len(pl.Old) == 0 || !bytes.HasPrefix(found, pl.Old)
}
