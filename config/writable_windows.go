package config

import "io/fs"

const openNonblocking = 0 // opening waits for nobody

// writable reports, as an error, why this process may not make files in a
// folder. What an access list allows is known on Windows only by trying, and
// a check makes no files: nothing is reported.
func writable(folder string) error { return nil }

// othersMayRead reports whether every user of this machine may read a file,
// which an access list says and the bits of its mode do not.
func othersMayRead(fs.FileInfo) bool { return false }

// othersMayWrite reports whether every user of this machine may write a file,
// which an access list says too.
func othersMayWrite(fs.FileInfo) bool { return false }
