// Package config reads jobrunner.yaml, the one file that says which folders
// are watched, how many jobs run at once and which types of job there are.
//
// It is strict: every key is known, stands once and has a value of the right
// kind, or the file is refused with all that is wrong in it, each fault with
// its line, its column and what to do about it. A Config is never changed once
// it is loaded; Watch makes a new one when the file changes, and a file gone
// bad leaves the one in force as it is.
//
// The package starts nothing and writes nothing. It looks at the file system
// only to tell whether folders lie in each other, and in Check.
package config
