// Package access decides who may see the page: it knows the file of passwords and
// the certificate of the page, and takes up what changes in both while the daemon
// runs.
//
// It fails closed. As long as a file of passwords is asked for and none could be
// read, nobody is let in; one that went bad leaves those who were let in before,
// and Notes says so. Nothing of it is kept: after a crash everything is read anew.
//
// The package knows nothing of routes, and of the page no more than who asks.
package access
