package watcher

import (
	"path/filepath"
	"slices"
	"strings"
)

// Ignored is a file that stays where it is, and why.
type Ignored struct {
	Name string
	Why  string
}

// requestExtensions are those of the names that are taken.
var requestExtensions = []string{".yaml", ".yml", ".json", ".txt", ".job"}

// temporaryEndings are those of names that are left alone for ever, because
// somebody is still writing under them or keeps an old copy there.
var temporaryEndings = []string{
	".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".bak", "~",
}

// maxName is the longest name that still fits the claim's name, which is
// "<uuid>-<name>" within the 255 bytes that most file systems allow.
const maxName = 255 - 36 - 1

// leftAlone reports whether name is one that writers use until a file is whole.
func leftAlone(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
		return true
	}
	lower := strings.ToLower(name)
	return slices.ContainsFunc(temporaryEndings, func(end string) bool {
		return strings.HasSuffix(lower, end)
	})
}

// whyNotNamed says why a file of this name is not taken, or "" if it is.
func whyNotNamed(name string) string {
	ext := strings.ToLower(filepath.Ext(name))
	switch {
	case !slices.Contains(requestExtensions, ext):
		return "its name does not end in " + strings.Join(requestExtensions, ", ")
	case ext == ".json" && isRequestName(name[:len(name)-len(ext)]):
		return "its name is that of another request's reply"
	case len(name) > maxName:
		return "its name is too long"
	}
	return ""
}

func isRequestName(name string) bool {
	return slices.Contains(requestExtensions, strings.ToLower(filepath.Ext(name)))
}
