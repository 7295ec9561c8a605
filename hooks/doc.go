// Package hooks tells others that jobs have ended: it runs the commands and
// calls the web addresses that the configuration names.
//
// It follows the Queue's events, each hook at its own pace, and keeps in the
// Queue how far each has come. That only moves on over what was delivered or
// given up, so a crash can deliver something twice, never lose it. The package
// knows nothing of how jobs are run, and whatever a hook does, its job stays
// as it is.
package hooks
