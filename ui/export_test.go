package ui

// What the tests look at from outside.
var (
	Fit      = fit
	Clean    = clean
	CleanLog = cleanLog
	Duration = duration
	Age      = age
	Bytesize = bytesize
)

// MaxPage is the bound of every page.
const MaxPage = maxPage
