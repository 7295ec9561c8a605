package ui

import "strings"

// region is a part of a page that is kept fresh: an element marked data-live.
type region struct {
	id    string
	html  string // the whole element
	frame string // the same without what its rows hold; it tells which rows there are, and their order
	rows  []row
}

// row is an element marked data-row in a region.
type row struct{ id, html string }

// regions cuts the live regions out of a page that a template of ours made: in
// it "<" begins a tag and nothing else, and every element that is marked has an
// end.
func regions(page string) []region {
	var out []region
	for _, e := range marked(page, "data-live") {
		r := region{id: e.id, html: e.html}
		var frame strings.Builder
		rest := 0
		for _, inner := range marked(e.html, "data-row") {
			frame.WriteString(e.html[rest:inner.at] + "<" + inner.id + ">")
			rest = inner.at + len(inner.html)
			r.rows = append(r.rows, row{inner.id, inner.html})
		}
		r.frame = frame.String() + e.html[rest:]
		out = append(out, r)
	}
	return out
}

// element is one that has an id, and where it stands.
type element struct {
	at       int
	id, html string
}

// marked gives the elements with an id and that attribute, none in another.
func marked(page, attribute string) []element {
	var out []element
	for at := 0; ; {
		next := strings.IndexByte(page[at:], '<')
		if next < 0 {
			return out
		}
		at += next
		tag, _, _ := strings.Cut(page[at:], ">")
		id, _ := attributeOf(tag, "id")
		if _, is := attributeOf(tag, attribute); is && id != "" {
			e := element{at, id, wholeElement(page[at:])}
			out = append(out, e)
			at += len(e.html)
			continue
		}
		at += max(1, len(tag))
	}
}

// attributeOf looks an attribute up in a tag. It is the work of a moment for a
// tag that has none of the name's letters.
func attributeOf(tag, name string) (value string, is bool) {
	if !strings.Contains(tag, name) {
		return "", false
	}
	_, rest, _ := strings.Cut(tag, " ")
	for rest != "" {
		end := strings.IndexAny(rest, " =\n")
		if end < 0 {
			return "", rest == name
		}
		found, sign := rest[:end], rest[end]
		rest = rest[end+1:]
		value = ""
		if sign == '=' {
			value, rest, _ = strings.Cut(strings.TrimPrefix(rest, `"`), `"`)
		}
		if found == name {
			return value, true
		}
	}
	return "", false
}

// wholeElement gives the element that html begins with, to its end tag.
func wholeElement(html string) string {
	name := html[1:max(1, strings.IndexAny(html, " >\n"))]
	depth := 0
	for at := 0; ; {
		next := strings.IndexByte(html[at:], '<')
		if next < 0 {
			return html // which is no page of ours
		}
		at += next
		switch rest := html[at+1:]; {
		case begins(rest, name):
			depth++
		case strings.HasPrefix(rest, "/") && begins(rest[1:], name):
			depth--
		}
		at++
		if depth == 0 {
			return html[:at+strings.IndexByte(html[at:], '>')+1]
		}
	}
}

// begins reports whether rest, which follows a "<", is a tag of that name.
func begins(rest, name string) bool {
	return strings.HasPrefix(rest, name) && len(rest) > len(name) && strings.IndexByte(" >\n", rest[len(name)]) >= 0
}
