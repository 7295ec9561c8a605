package runner

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"sync"
)

// wire is one connection between client and supervisor.
type wire struct {
	conn net.Conn
	in   *bufio.Reader // touched only by the goroutine that receives

	mu   sync.Mutex // guards out and gone
	out  []byte     // lines that wait to be sent
	gone bool

	wake chan struct{} // capacity 1: out has something, or gone is set
}

func newWire(conn net.Conn) *wire {
	return &wire{conn: conn, in: bufio.NewReader(conn), wake: make(chan struct{}, 1)}
}

// send queues a message. It does not block; if the other side is so slow that
// too much has gathered, the connection is given up.
func (w *wire) send(message any) error {
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		return net.ErrClosed
	}
	w.out = append(append(w.out, line...), '\n')
	if len(w.out) > 2*maxMessage {
		w.gone = true
		w.conn.Close()
	}
	w.poke()
	return nil
}

// pump sends what is queued, all that has gathered in one write, until the
// connection is closed.
func (w *wire) pump() {
	var buf []byte
	for range w.wake {
		w.mu.Lock()
		gone := w.gone
		buf, w.out = w.out, buf[:0]
		w.mu.Unlock()
		if gone {
			return
		}
		if len(buf) == 0 {
			continue
		}
		if _, err := w.conn.Write(buf); err != nil {
			w.close()
			return
		}
		if cap(buf) > 64<<10 {
			buf = nil
		}
	}
}

// receive reads the next message into v. An error that is not a
// *messageError ends the connection.
func (w *wire) receive(v any) error {
	line, err := w.line()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, v); err != nil {
		return &messageError{err}
	}
	return nil
}

// line returns the next line, without its end; it holds until the next call.
func (w *wire) line() ([]byte, error) {
	var long []byte
	for {
		part, err := w.in.ReadSlice('\n')
		switch {
		case err == nil && long == nil:
			return part[:len(part)-1], nil
		case err == nil:
			return append(long, part[:len(part)-1]...), nil
		case err != bufio.ErrBufferFull:
			return nil, err
		case len(long) > maxMessage:
			return nil, fmt.Errorf("message of more than %d bytes", maxMessage)
		}
		long = append(long, part...)
	}
}

// close ends the connection; pump and receive return.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	w.conn.Close()
	w.poke()
}

func (w *wire) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// messageError is a line that is no message; the next one may be.
type messageError struct{ err error }

func (e *messageError) Error() string { return "reading a message: " + e.err.Error() }
