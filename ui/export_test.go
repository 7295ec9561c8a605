package ui

import (
	"context"
	"net"
	"net/http"
	"time"
)

// What the tests look at from outside.
var (
	Fit      = fit
	Clean    = clean
	Duration = duration
	Age      = age
)

// Charts and their layers.
type (
	Chart = chart
	Layer = layer
)

const (
	Area  = area
	Curve = curve
	Dots  = dots
)

// MaxPage is the bound of every page.
const MaxPage = maxPage

// ServeMost is Serve with that many connections at most, and with answers that are
// long from that time on.
func ServeMost(ctx context.Context, ln net.Listener, h http.Handler, most int, long time.Duration) error {
	all := newVisitors(most)
	all.long = long
	return serve(ctx, ln, h, all)
}

// Streaming is a handler that answers every request with a stream; do gets what
// sends, and what waits, with beats in between of which the beat is the shape.
func Streaming(o Options, do func(send func(id, name, data string) error, wait func(<-chan struct{}, <-chan time.Time) bool)) http.Handler {
	return StreamingFor(sendTimeout, o, do)
}

// StreamingFor is Streaming with that much patience with those who do not read.
func StreamingFor(patience time.Duration, o Options, do func(send func(id, name, data string) error, wait func(<-chan struct{}, <-chan time.Time) bool)) http.Handler {
	s := &server{Options: o, streams: newStreams(), now: time.Now}
	s.streams.patience = patience
	return s.recovered(readOnly(bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serveStream(w, r, silentBeat, func(_ context.Context, out *stream) error {
			do(func(id, name, data string) error { return out.send(message{id, name, []byte(data)}) }, out.wait)
			return nil
		})
	}))))
}

// The bounds of streams.
const (
	MostStreams     = mostStreams
	MostStreamsEach = mostStreamsEach
	AnswersEach     = answersEach
)

// EnterAll takes as many places for streams to that address as there are, and
// gives how many; and what was said of the next.
func EnterAll(t *Streams, remote string) (n int, words string) {
	for {
		if _, err := t.enter(remote); err != nil {
			return n, err.Error()
		}
		n++
	}
}

// Streams counts streams; NewStreams has none.
type Streams = streams

var NewStreams = newStreams

const (
	MostViews = mostViews
	LiveGap   = liveGap
)

// Views are the pages that a Handler remembers.
type Views struct{ all *views }

func HandlerAndViews(o Options) (http.Handler, Views) {
	s := newServer(o)
	return s.guarded(), Views{s.views}
}

// Number is that of the last difference of a page.
func (v Views) Number(path string) int64 {
	one := v.all.at(path)
	one.mu.Lock()
	defer one.mu.Unlock()
	return one.number
}

// Since gives the data of what a client is sent that knows the page so far.
func (v Views) Since(path string, number int64) (data []string) {
	all, _ := v.all.at(path).since(v.all, number)
	for _, m := range all {
		data = append(data, string(m.data))
	}
	return data
}

func (v Views) Len() int {
	v.all.mu.Lock()
	defer v.all.mu.Unlock()
	return len(v.all.all)
}

// Regions lists the live regions of a page and their rows.
func Regions(page string) (all []string) {
	for _, r := range regions(page) {
		all = append(all, r.id+": "+r.html)
		for _, one := range r.rows {
			all = append(all, r.id+" "+one.id+": "+one.html)
		}
	}
	return all
}

// Standalone makes of a page a file.
var Standalone = standalone
