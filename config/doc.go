// Package config reads jobrunner.yaml, the one file that says which folders
// are watched, how many jobs run at once, which types of job there are, when
// they are made and who is told of their end. Types may also be files of their
// own, in a folder beside it.
//
// It is strict: every key is known, stands once and has a value of the right
// kind, or the file is refused with all that is wrong in it, each fault with
// its line, its column and what to do about it. A Config is never changed once
// it is loaded; Watch makes a new one when the file changes, and a file gone
// bad leaves the one in force as it is. The file of a type that is bad leaves
// that type as it is, and the others alone.
//
// The package starts nothing and writes nothing. Beside the files that it reads
// it looks at the file system only to tell whether folders lie in each other,
// and in Check. No fault repeats a secret or the address of a webhook.
package config
