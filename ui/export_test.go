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
	CleanLog = cleanLog
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
