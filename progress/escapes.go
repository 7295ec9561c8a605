package progress

const (
	esc        = 0x1b
	bell       = 0x07
	cancel     = 0x18
	substitute = 0x1a
)

// maxOSC is how much of an OSC sequence is looked at, in bytes.
const maxOSC = 32

// escapes is where in an escape sequence the bytes are (ECMA-48, section 5).
type escapes struct {
	state     place
	private   bool // a CSI sequence is one of a terminal's own
	parameter int  // of a CSI sequence: its first, 0 if it has none
	osc       [maxOSC]byte
	oscLength int
}

type place uint8

const (
	ground      place = iota
	escaped           // after ESC
	between           // after ESC and an intermediate byte
	inCSI             // after ESC [
	inOSC             // after ESC ]
	inOSCEnd          // after ESC within an OSC
	inString          // in a DCS, SOS, PM or APC string
	inStringEnd       // after ESC within one
)

// escape takes a byte of an escape sequence and tells whether it was one: 1, or
// 0 if the sequence broke off before it.
func (l *lines) escape(c byte, to sink) int {
	if c == '\n' || c == '\r' { // no sequence goes beyond a line; what is never ended would take all that comes
		l.state = ground
		return 0
	}
	if c == cancel || c == substitute {
		l.state = ground
		return 1
	}
	switch l.state {
	case escaped:
		l.open(c, to)
	case between:
		if c < ' ' || c > '/' {
			l.state = ground
		}
	case inCSI:
		l.csi(c, to)
	case inOSC:
		l.command(c, to)
	case inString:
		if c == esc {
			l.state = inStringEnd
		}
	case inOSCEnd, inStringEnd:
		if l.state == inOSCEnd {
			l.endOSC(to)
		}
		l.state = ground
		if c != '\\' { // not the end that was begun, but another sequence
			l.state = escaped
			return 0
		}
	}
	return 1
}

// open takes the byte after ESC.
func (l *lines) open(c byte, to sink) {
	l.state = ground
	switch {
	case c == '[':
		l.state, l.private, l.parameter = inCSI, false, 0
	case c == ']':
		l.state, l.oscLength = inOSC, 0
	case c == 'P' || c == 'X' || c == '^' || c == '_':
		l.state = inString
	case c == esc:
		l.state = escaped
	case c >= ' ' && c <= '/':
		l.state = between
	case c == '7' || c == '8' || c == 'M': // save and restore the cursor, one line up
		l.redraw(to)
	}
}

// csi takes a byte of a CSI sequence. Those that move the cursor to another
// line or column, or empty the line, end what was written.
func (l *lines) csi(c byte, to sink) {
	switch {
	case c >= '0' && c <= '9':
		l.parameter = min(l.parameter*10+int(c-'0'), 999)
	case c >= '<' && c <= '?':
		l.private = true
	case c >= ' ' && c <= ';':
		// a further parameter, or an intermediate byte
	default:
		l.state = ground
		l.act(c, to)
	}
}

func (l *lines) act(final byte, to sink) {
	if l.private {
		return
	}
	switch final {
	case 'A', 'B', 'D', 'E', 'F', 'G', 'H', 'J', 'd', 'f', 's', 'u', '`':
		l.redraw(to)
	case 'K':
		if l.parameter != 0 { // to the end of the line: also behind every coloured word of grep and gcc
			l.redraw(to)
		}
	case 'C':
		l.settle(to)
		l.add([]byte{' '})
	}
}

// command takes a byte of an OSC sequence, which BEL, ESC \ or the control
// character U+009C ends.
func (l *lines) command(c byte, to sink) {
	switch {
	case c == bell:
		l.state = ground
		l.endOSC(to)
	case c == esc:
		l.state = inOSCEnd
	case c == 0x9c && l.oscLength > 0 && l.osc[l.oscLength-1] == 0xc2:
		l.oscLength--
		l.state = ground
		l.endOSC(to)
	case l.oscLength < maxOSC:
		l.osc[l.oscLength] = c
		l.oscLength++
	}
}

func (l *lines) endOSC(to sink) {
	if !l.gap {
		to.command(l.osc[:l.oscLength])
	}
}
