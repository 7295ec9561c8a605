package ui

import (
	"context"
	"net"
	"net/http"
)

// What the tests look at from outside.
var (
	Fit      = fit
	Clean    = clean
	CleanLog = cleanLog
	Duration = duration
	Age      = age
)

// MaxPage is the bound of every page.
const MaxPage = maxPage

// ServeMost is Serve with that many connections at most.
func ServeMost(ctx context.Context, ln net.Listener, h http.Handler, most int) error {
	return serve(ctx, ln, h, newVisitors(most))
}
