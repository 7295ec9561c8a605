package config

import "regexp"

// form is what a word must look like.
type form struct {
	pattern *regexp.Regexp
	most    int // bytes; within the pattern such a bound would make it a hundred times as large
}

func newForm(pattern string, most int) form { return form{regexp.MustCompile(pattern), most} }

// fits reports whether text is such a word.
func (f form) fits(text string) bool { return len(text) <= f.most && f.pattern.MatchString(text) }

// plainName is the name of a type, a parameter or a slot.
var plainName = newForm(`^[A-Za-z][A-Za-z0-9_-]*$`, 64)
