// Package ui is the read-only status page and JSON API: pages for people under
// /, the same facts for programs under /api/v1, and the health routes.
//
// It reads the Queue and the log files and can change neither: it has no route
// that writes, answers every method but GET and HEAD with 405, and calls none
// of the Queue's writing methods. It knows nothing of folders that are watched,
// of processes or of the configuration; what it shows of them comes in through
// Options. Every string that somebody else wrote passes jobs.Sanitize before a
// template sees it, and every page is bounded in size. It keeps no state, so a
// crash can lose none.
package ui
