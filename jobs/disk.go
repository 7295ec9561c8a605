package jobs

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// primaryCode returns SQLite's code of err without its extension, 0 if it is
// not SQLite's.
func primaryCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// unsound reports whether the connection must not be used again after err.
//
// It may be used after a failed write or fsync: SQLite then drops its cache,
// and the next commit writes the same places of the -wal file anew, so that
// its fsync covers them whatever the kernel thinks of the first try. A new
// connection would be worse: it may find the failed commit complete in the
// kernel's cache and take it for one that was acknowledged.
func unsound(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC,
		sqlite3.SQLITE_IOERR_TRUNCATE:
		return false
	}
	switch primaryCode(err) {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_READONLY:
		return true
	}
	return false
}

// faultOfDisk says in words which fault outside of this program err is; "" if
// it is none.
func faultOfDisk(err error) string {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code() == sqlite3.SQLITE_IOERR_FSYNC {
		return "the disk did not confirm that it is written"
	}
	switch primaryCode(err) {
	case sqlite3.SQLITE_FULL:
		return "the disk is full"
	case sqlite3.SQLITE_IOERR:
		return "the disk reports an error"
	case sqlite3.SQLITE_CANTOPEN:
		return "the file cannot be opened"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return "the file may not be written"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "the file is damaged"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "another program holds it"
	}
	return ""
}
