package jobs_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"jobrunner/jobs"
)

// wide writes s as Windows PowerShell does: UTF-16LE without a mark.
func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func TestDecodeLine(t *testing.T) {
	const line = "countdown.py 25"
	for name, tt := range map[string]struct{ raw, want string }{
		"plain":                      {line, line},
		"empty":                      {"", ""},
		"CRLF":                       {line + "\r", line},
		"trailing space":             {line + " \t\r", line},
		"leading space":              {"  " + line, "  " + line},
		"byte order mark":            {"\xef\xbb\xbf" + line, line},
		"two marks":                  {"\xef\xbb\xbf\xef\xbb\xbf" + line, line},
		"UTF-16 with mark":           {"\xff\xfe" + wide(line+"\r"), line},
		"UTF-16 without mark":        {wide(line + "\r"), line},
		"UTF-16 after a newline":     {"\x00" + wide(line+"\r"), line},
		"mark after a newline":       {"\x00\xff\xfe" + wide(line+"\r"), line},
		"plain after UTF-16":         {"\x00" + line, line},
		"end of a UTF-16 file":       {"\x00", ""},
		"UTF-16 blank line":          {"\x00" + wide("\r"), ""},
		"UTF-16 of one letter":       {wide("x"), "x"},
		"UTF-16 beyond ASCII":        {wide("x.py größe 中文"), "x.py größe 中文"},
		"UTF-16 beyond the BMP":      {wide("x.py \U0001f600"), "x.py \U0001f600"},
		"UTF-16 letter with low NUL": {"\x00" + wide("一.py 25"), "一.py 25"},
		"torn: NUL before":           {strings.Repeat("\x00", 7) + line, line},
		"torn: NUL behind":           {line + strings.Repeat("\x00", 7), line},
		"torn: one NUL behind":       {"abc\x00", "abc"},
		"torn: three NUL behind":     {"abc\x00\x00\x00", "abc"},
		"torn: NUL around UTF-16":    {"\x00\x00\x00" + wide(line) + "\x00\x00", line},
		"torn: nothing but NUL":      {strings.Repeat("\x00", 4096), ""},
		"blanked: UTF-16 behind":     {strings.Repeat(" ", 200) + wide(line+"\r"), line},
		"blanked: odd, UTF-16":       {"   " + wide(line+"\r"), line},
		"blanked: UTF-16, and plain": {strings.Repeat(" ", 33) + "\x00" + line, line},
		"blanked: UTF-16 in UTF-16":  {strings.Repeat(" ", 33) + "\x00" + wide(line+"\r"), line},
		"blanked: behind UTF-16":     {"\x00" + strings.Repeat(" ", 33) + line, line},
		"blanked: between UTF-16":    {"\x00" + strings.Repeat(" ", 33) + wide(line+"\r"), line},
		"blanked: twice":             {strings.Repeat(" ", 33) + "\x00" + strings.Repeat(" ", 9) + "\x00" + line, line},
		"blanked: letter with NUL":   {strings.Repeat(" ", 33) + "\x00" + wide("一.py 25"), "一.py 25"},
		"blanked: mark behind":       {strings.Repeat(" ", 33) + "\xff\xfe" + wide(line+"\r"), line},
		"blanked: letter with space": {strings.Repeat(" ", 33) + wide("Р.py 25"), "Р.py 25"},
		"other characters":           {"größe.py 中", "größe.py 中"},
		"longest":                    {strings.Repeat("a", jobs.MaxRequestSize), strings.Repeat("a", jobs.MaxRequestSize)},
	} {
		got, err := jobs.DecodeLine([]byte(tt.raw))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: DecodeLine(%q) = %q, %v; want %q", name, tt.raw, got, err, tt.want)
		}
	}
}

func TestDecodeLineRefuses(t *testing.T) {
	for raw, want := range map[string]string{
		"countdown.py\x0025":                              "NUL byte",
		"count\x00\x00\x00down.py 25":                     "NUL byte",
		"gr\xf6\xdfe.py":                                  "byte 0xf6 is not valid UTF-8",
		"a\xed\xa0\x80":                                   "not valid UTF-8",
		"a 25\rb 3":                                       "carriage return",
		strings.Repeat("a", jobs.MaxRequestSize+1):        "longer than 64 KiB",
		"\xff\xfea":                                       "UTF-16",
		"\xff\xfea\x00\x00\xd8":                           "UTF-16",
		"\xff\xfea\x00\x00\xdcb\x00":                      "UTF-16",
		strings.Repeat("\x00", 10+jobs.MaxRequestSize):    "longer than 64 KiB",
		wide("x.py ") + string([]byte{0, 0}) + wide("25"): "NUL byte",
	} {
		got, err := jobs.DecodeLine([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("DecodeLine(%.40q) = %.40q, %v; want an error with %q", raw, got, err, want)
		}
	}
}

func TestRawHash(t *testing.T) {
	a := jobs.RawHash([]byte("countdown.py 25"))
	if b := jobs.RawHash([]byte(" \tcountdown.py 25  \r\n")); a != b {
		t.Errorf("white space at the ends changes the hash: %x, %x", a, b)
	}
	if b := jobs.RawHash([]byte("countdown.py 26")); a == b {
		t.Errorf("two lines have one hash %x", a)
	}
	if got, want := jobs.RawHash(nil), uint64(0xcbf29ce484222325); got != want {
		t.Errorf("RawHash of nothing = %x, want FNV-1a's %x", got, want)
	}
}
