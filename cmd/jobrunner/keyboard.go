package main

import (
	"os"

	"golang.org/x/term"
)

// keyboard gives single keys of a terminal, without Enter and without showing
// them. While it is open, Ctrl-C is a key like others.
type keyboard struct {
	keys  <-chan string // closed at the end of input; nil if there is no terminal
	in    *os.File
	state *term.State // of the terminal before
}

// Keys that are no letters.
const (
	keyUp    = "\x1b[A"
	keyDown  = "\x1b[B"
	keyCtrlC = "\x03"
)

// openKeyboard listens to a terminal; to nothing if in is none.
func openKeyboard(in *os.File) (*keyboard, error) {
	k := &keyboard{in: in}
	fd := int(in.Fd())
	if !term.IsTerminal(fd) {
		return k, nil
	}
	state, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	k.state = state
	keys := make(chan string)
	k.keys = keys
	// It ends with the process: nobody can end a read from a terminal on all
	// systems, and nothing else reads from it afterwards.
	go listen(in, keys)
	return k, nil
}

func listen(in *os.File, keys chan<- string) {
	defer close(keys)
	p := make([]byte, 64)
	for {
		n, err := in.Read(p)
		for _, key := range splitKeys(string(p[:n])) {
			keys <- key
		}
		if err != nil {
			return
		}
	}
}

// splitKeys takes apart what was read at once. Arrows come as one sequence each,
// in one of two forms (see "Application Cursor Keys" in xterm's ctlseqs).
func splitKeys(text string) []string {
	var keys []string
	for text != "" {
		n := 1
		if len(text) >= 3 && text[0] == '\x1b' && (text[1] == '[' || text[1] == 'O') {
			n = 3
		}
		key := text[:n]
		if n == 3 {
			key = "\x1b[" + text[2:3]
		}
		keys = append(keys, key)
		text = text[n:]
	}
	return keys
}

// Close gives the terminal back as it was.
func (k *keyboard) Close() error {
	if k.state == nil {
		return nil
	}
	return term.Restore(int(k.in.Fd()), k.state)
}
