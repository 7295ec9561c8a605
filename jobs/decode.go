package jobs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	bomUTF8    = "\xef\xbb\xbf"
	bomUTF16LE = "\xff\xfe"
	bomUTF16BE = "\xfe\xff"
)

const saveAsUTF8 = "save the file as UTF-8"

// DecodeLine gives the text of one line as it was read between two newline
// bytes. It understands what tools append: UTF-8 with a byte order mark, and
// UTF-16LE with or without one, also in the middle of another file (the
// newline is 0A 00 there, so a line may begin with the NUL of the one before).
// NUL bytes that a torn append left at either end are dropped, and white space
// at the end. The error is a *Fault without a line: longer than
// MaxRequestSize, not UTF-8, or a NUL or carriage return inside.
func DecodeLine(line []byte) ([]byte, error) {
	if len(line) > MaxRequestSize {
		return nil, &Fault{Message: fmt.Sprintf("the line is longer than %d KiB", MaxRequestSize>>10)}
	}
	line = unblanked(line)
	text := line
	if wide := wideText(line); wide != nil {
		var err error
		if text, err = decodeUTF16(wide, binary.LittleEndian); err != nil {
			return nil, &Fault{Message: "the line " + err.Error(), Hint: saveAsUTF8}
		}
	}
	for len(text) > 0 && text[0] == 0 || bytes.HasPrefix(text, []byte(bomUTF8)) {
		if text[0] == 0 {
			text = text[1:]
		} else {
			text = text[len(bomUTF8):]
		}
	}
	text = bytes.TrimRight(text, "\x00 \t\r")
	if i, f := checkText(text); f != nil {
		f.Column = runeColumn(text, i)
		return nil, f
	}
	if i := bytes.IndexByte(text, '\r'); i >= 0 {
		return nil, &Fault{Column: runeColumn(text, i), Message: "a carriage return stands inside the line",
			Hint: "end every line with a newline"}
	}
	return text, nil
}

// unblanked is a line that may be UTF-16, or follows one that was, without the
// spaces that stand before it in place of lines that were blanked, and the NUL
// bytes of their line ends.
func unblanked(line []byte) []byte {
	rest := bytes.TrimLeft(line, " \x00")
	n := len(line) - len(rest)
	if !bytes.Contains(line[:n], []byte("  ")) || bytes.IndexByte(line, 0) < 0 {
		return line
	}
	if looksWide(line[n-1:]) { // the last one of them is half of a character
		n--
	}
	return line[n:]
}

// checkText refuses bytes that are not UTF-8, and NUL. It gives the offset and
// a Fault without a position.
func checkText(text []byte) (int, *Fault) {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n <= 1 {
			return i, &Fault{Message: fmt.Sprintf("byte 0x%02x is not valid UTF-8", text[i]), Hint: saveAsUTF8}
		}
		if r == 0 {
			return i, &Fault{Message: "a NUL byte stands inside the text"}
		}
		i += n
	}
	return 0, nil
}

func runeColumn(text []byte, at int) int { return utf8.RuneCount(text[:at]) + 1 }

// wideText returns the part of line that is UTF-16LE, without its mark, or nil
// if the line is not UTF-16LE.
func wideText(line []byte) []byte {
	if len(line) > 1 && line[0] == 0 { // may be the second half of the last newline
		if rest := line[1:]; bytes.HasPrefix(rest, []byte(bomUTF16LE)) || looksWide(rest) {
			line = rest
		}
	}
	if rest, ok := bytes.CutPrefix(line, []byte(bomUTF16LE)); ok {
		return rest
	}
	if looksWide(line) {
		return line
	}
	return nil
}

// looksWide guesses whether b, which bears no mark, is UTF-16LE: every second
// byte is NUL wherever the text is ASCII, as at least a quarter of a request
// is. Pairs of NUL at either end do not count: a torn append leaves those.
func looksWide(b []byte) bool {
	if len(b)%2 != 0 {
		return false
	}
	for len(b) > 0 && b[0] == 0 && b[1] == 0 {
		b = b[2:]
	}
	for len(b) > 0 && b[len(b)-1] == 0 && b[len(b)-2] == 0 {
		b = b[:len(b)-2]
	}
	ascii := 0
	for i := 0; i < len(b); i += 2 {
		if b[i+1] != 0 {
			continue
		}
		if b[i] == 0 {
			return false
		}
		ascii++
	}
	pairs := len(b) / 2
	return ascii > 0 && ascii*4 >= pairs && (ascii > 1 || pairs == 1)
}

func decodeUTF16(b []byte, order binary.ByteOrder) ([]byte, error) {
	if len(b)%2 != 0 {
		return nil, errors.New("ends in the middle of a UTF-16 character")
	}
	text := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := rune(order.Uint16(b)), 2
		if utf16.IsSurrogate(r) {
			if len(b) < 4 {
				return nil, errNotUTF16
			}
			if r, n = utf16.DecodeRune(r, rune(order.Uint16(b[2:]))), 4; r == utf8.RuneError {
				return nil, errNotUTF16
			}
		}
		text = utf8.AppendRune(text, r)
		b = b[n:]
	}
	return text, nil
}

var errNotUTF16 = errors.New("is not valid UTF-16")

// decodeFile gives the text of a whole request file as UTF-8 without a byte
// order mark. It does not check the text of a file that is not UTF-16.
func decodeFile(data []byte) ([]byte, *Fault) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte(bomUTF8)):
		return data[len(bomUTF8):], nil
	case bytes.HasPrefix(data, []byte(bomUTF16LE)):
		order, data = binary.LittleEndian, data[2:]
	case bytes.HasPrefix(data, []byte(bomUTF16BE)):
		order, data = binary.BigEndian, data[2:]
	case looksWide(data):
		order = binary.LittleEndian
	default:
		return data, nil
	}
	text, err := decodeUTF16(data, order)
	if err != nil {
		return nil, &Fault{Message: "the file " + err.Error(), Hint: saveAsUTF8}
	}
	return text, nil
}

// RawHash identifies a line as it was written, white space at its ends not
// counted, and no NUL bytes either, in whose place a share may later show what
// was appended before: FNV-1a of 64 bits, and never 0.
func RawHash(line []byte) uint64 {
	h := fnv.New64a()
	h.Write(bytes.TrimFunc(line, func(r rune) bool { return r == 0 || unicode.IsSpace(r) }))
	return max(h.Sum64(), 1)
}
