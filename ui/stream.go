package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	typeStream = "text/event-stream"

	streamRetry = 2 * time.Second  // after which a client that lost its stream asks again
	streamBeat  = 10 * time.Second // between two signs of life
	sendTimeout = 10 * time.Second // for which a client may let stand what is sent
)

// message is one message of a stream, as "Server-sent events" of the HTML standard
// has it.
type message struct {
	id   string // what a client that lost the stream asks again with; "" leaves its last one as it is
	name string // of the event; "" is for what browsers call "message"
	data []byte // any bytes; each CR, LF or CRLF in it reaches the client as LF
}

var (
	// silentBeat is seen by no script: a comment.
	silentBeat = message{}
	// heardBeat is an event, so that a script learns that its stream still stands.
	heardBeat = message{name: "beat", data: []byte("{}")}
	// bye says that the server ends.
	bye = message{name: "bye", data: []byte("{}")}
)

// appendTo writes the message as it is sent.
func (m message) appendTo(b *bytes.Buffer) {
	if m.id != "" {
		fmt.Fprintf(b, "id: %s\n", m.id)
	}
	if m.name != "" {
		fmt.Fprintf(b, "event: %s\n", m.name)
	}
	if m.data == nil {
		b.WriteString(":\n\n")
		return
	}
	for rest, more := m.data, true; more; {
		var line []byte
		line, rest, more = cutLine(rest)
		b.WriteString("data: ")
		b.Write(line)
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
}

// cutLine takes the first line off; more tells that one follows, empty or not.
func cutLine(text []byte) (line, rest []byte, more bool) {
	i := bytes.IndexAny(text, "\r\n")
	if i < 0 {
		return text, nil, false
	}
	rest = text[i+1:]
	if text[i] == '\r' {
		rest = bytes.TrimPrefix(rest, []byte("\n"))
	}
	return text[:i], rest, true
}

// errUnread says that a stream cannot be sent on: its client is gone, or has
// not read for too long.
var errUnread = errors.New("nobody reads the stream")

// stream is an answer that goes on until its client goes or the server ends.
// One goroutine uses it.
type stream struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration   // for a client that does not read
	gone     <-chan struct{} // closed when the stream has to end
	beat     message
	beats    *time.Ticker
	buf      bytes.Buffer
}

// serveStream answers with a stream of what do sends, or with 503 if there are
// too many; beat is sent when do waits for long. The context that do gets ends
// when the client goes and when the server ends: do returns then, and with each
// error of the stream. Other errors are logged; the client will ask again.
func (s *server) serveStream(w http.ResponseWriter, r *http.Request, beat message, do func(context.Context, *stream) error) {
	h := w.Header()
	h.Set("Content-Type", typeStream)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold it back
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	leave, err := s.streams.enter(r.RemoteAddr)
	if err != nil {
		h.Set("Retry-After", "30")
		fail(w, r, http.StatusServiceUnavailable, err.Error())
		return
	}
	defer leave()
	defer stand(r.Context())()
	closing := closingOf(r.Context())
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(closing, cancel)()
	out := newStream(w, ctx.Done(), beat)
	out.patience = s.streams.patience
	defer out.beats.Stop()
	if err = out.flush(); err == nil {
		err = do(ctx, out)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, errUnread) {
		s.Log.Error().Err(err).Str("path", r.URL.Path).Msg("answering with a stream")
	}
	if closing.Err() != nil {
		_ = out.send(bye) // whoever is gone needs none
	}
	_ = out.control.SetWriteDeadline(time.Now().Add(out.patience)) // for the end of the answer
}

func newStream(w http.ResponseWriter, gone <-chan struct{}, beat message) *stream {
	out := &stream{w: w, control: http.NewResponseController(w), gone: gone, beat: beat, beats: time.NewTicker(streamBeat)}
	// The time to read a request would end an answer that takes longer.
	_ = out.control.SetReadDeadline(time.Time{})
	fmt.Fprintf(&out.buf, "retry: %d\n\n", streamRetry.Milliseconds())
	return out
}

// send sends messages at once. It blocks while the client does not read, for
// sendTimeout at most; its error is errUnread.
func (out *stream) send(messages ...message) error {
	for _, m := range messages {
		m.appendTo(&out.buf)
	}
	return out.flush()
}

// flush sends what is in buf.
func (out *stream) flush() error {
	// The error says only that the writer has no deadlines, as in a test.
	_ = out.control.SetWriteDeadline(time.Now().Add(out.patience))
	_, err := out.buf.WriteTo(out.w)
	if err == nil {
		err = out.control.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	// With HTTP/2 it would end the stream also while there is nothing to send.
	_ = out.control.SetWriteDeadline(time.Time{})
	return nil
}

// wait blocks until changed or tick gives something; either may be nil. It sends
// the beats that fall due meanwhile. It returns false when the stream has to end.
func (out *stream) wait(changed <-chan struct{}, tick <-chan time.Time) bool {
	for {
		select {
		case <-out.gone:
			return false
		case <-changed:
			return true
		case <-tick:
			return true
		case <-out.beats.C:
			if out.send(out.beat) != nil {
				return false
			}
		}
	}
}
