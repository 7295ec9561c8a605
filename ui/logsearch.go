package ui

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

// Bounds of one look for lines.
const (
	searchBlock = 512 << 10 // bytes read at once
	searchTime  = 15 * time.Millisecond
	maxHits     = 200
	maxWanted   = 200 // bytes of a text that is looked for
)

// errorWords are those of which lines have one that tell of a failure, or may.
var errorWords = [][]byte{
	[]byte("error"), []byte("exception"), []byte("traceback"), []byte("fatal"), []byte("panic"), []byte("critical"),
	[]byte("fail"), []byte("killed"), []byte("denied"), []byte("not found"), []byte("no such file"), []byte("out of memory"),
}

// hit is a line that has what was looked for.
type hit struct {
	from int64 // where the line begins, as far as it was read
	at   int64 // where the text stands
}

// searchBack looks for lines that have one of some words, which are in lower case,
// before a place of the log where a line begins or the log ends: the last ones, in
// the log's order. A-Z count as a-z. from is how far it came before there were
// enough of them, or the time was over; 0 means that nothing is left.
func searchBack(log io.ReaderAt, to int64, words [][]byte) (hits []hit, from int64, err error) {
	until := time.Now().Add(searchTime)
	block := make([]byte, min(searchBlock, to))
	for to > 0 {
		b, start, whole, err := blockBefore(log, block, to)
		if err != nil {
			return nil, 0, err
		}
		lowerASCII(b)
		found := hitsIn(b, start, words)
		if room := maxHits - len(hits); len(found) >= room {
			return append(found[len(found)-room:], hits...), found[len(found)-room].from, nil
		}
		hits = append(found, hits...)
		if !whole { // a text may stand across its beginning
			start += int64(min(len(b), longest(words)) - 1)
		}
		if to = start; time.Now().After(until) {
			break
		}
	}
	return hits, to, nil
}

// blockBefore reads whole lines that end at a place, as many as fit in the block;
// if there is none that does, the end of one.
func blockBefore(log io.ReaderAt, block []byte, to int64) (b []byte, start int64, whole bool, err error) {
	start = max(0, to-int64(len(block)))
	n, err := log.ReadAt(block[:to-start], start)
	if int64(n) < to-start {
		return nil, 0, false, fmt.Errorf("reading log: %w", err)
	}
	b = block[:n]
	if start == 0 {
		return b, 0, true, nil
	}
	i := bytes.IndexByte(b[:n-1], '\n')
	return b[i+1:], start + int64(i) + 1, i >= 0, nil
}

func longest(words [][]byte) int {
	n := 0
	for _, w := range words {
		n = max(n, len(w))
	}
	return n
}

// hitsIn gives the lines of b that have one of words; b is from that place of the
// log.
func hitsIn(b []byte, place int64, words [][]byte) (hits []hit) {
	next := make([]int, len(words)) // where each word stands from at on; len(b): nowhere
	for i := range next {
		next[i] = -1
	}
	for at := 0; at < len(b); {
		for i, w := range words {
			if next[i] >= at {
				continue
			}
			if next[i] = bytes.Index(b[at:], w); next[i] < 0 {
				next[i] = len(b)
			} else {
				next[i] += at
			}
		}
		first := slices.Min(next)
		if first == len(b) {
			break
		}
		hits = append(hits, hit{place + int64(bytes.LastIndexByte(b[:first], '\n')+1), place + int64(first)})
		end := bytes.IndexByte(b[first:], '\n')
		if end < 0 {
			break
		}
		at = first + end + 1
	}
	return hits
}

// lowerASCII makes A-Z to a-z in place, eight letters at a time.
func lowerASCII(b []byte) {
	const each = 0x0101010101010101
	for ; len(b) >= 8; b = b[8:] {
		v := binary.LittleEndian.Uint64(b)
		low := v & (0x7f * each)
		upper := (low + (0x80-'A')*each) &^ (low + (0x80-'Z'-1)*each) &^ v & (0x80 * each)
		binary.LittleEndian.PutUint64(b, v|upper>>2)
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}

// partOfHits draws lines that were found, the last ones that fit.
func partOfHits(log io.ReaderAt, size int64, hits []hit, words [][]byte, html int) (logPart, error) {
	var p logPart
	for i, used := len(hits)-1, 0; i >= 0 && used < html; i-- {
		from := hits[i].from
		if hits[i].at-from > lineShown/2 { // it would not be seen
			from = alignRune(log, hits[i].at-200)
		}
		line, err := (&lines{log: log, at: from, end: size}).next()
		if err != nil {
			return p, fmt.Errorf("reading log: %w", err)
		}
		s := newScreen(from)
		s.feed(line.text)
		s.rows[0].rest = line.rest
		s.rows[0].mark(words)
		used += p.add(s.rows[0], line.next)
	}
	slices.Reverse(p.rows)
	if len(p.rows) > 0 {
		p.From, p.To = p.rows[0].from, p.rows[len(p.rows)-1].next
	}
	return p, nil
}

// mark marks what a row has of words.
func (r *screenRow) mark(words [][]byte) {
	text := make([]byte, 0, len(r.cells))
	of := make([]int, 0, len(r.cells)) // the cell of each byte of text
	for i, c := range r.cells {
		before := len(text)
		text = utf8.AppendRune(text, c.r)
		for range len(text) - before {
			of = append(of, i)
		}
	}
	lowerASCII(text)
	for _, w := range words {
		for at := 0; ; {
			i := bytes.Index(text[at:], w)
			if i < 0 {
				break
			}
			for k := range w {
				r.cells[of[at+i+k]].style |= found
			}
			at += i + len(w)
		}
	}
}
