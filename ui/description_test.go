package ui_test

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// description is /openapi.json, made strict: an object may have no fields but
// those that it names.
type description struct {
	t        *testing.T
	root     map[string]any
	compiler *jsonschema.Compiler
	seen     map[string]bool // "path status" of what was answered, and "schema.field" of what was in it
}

func describe(t *testing.T, body string) *description {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(doc)
	d := &description{t, doc.(map[string]any), jsonschema.NewCompiler(), map[string]bool{}}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// closeObjects lets no schema below v have fields that it does not name.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; !open && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, below := range v {
			closeObjects(below)
		}
	case []any:
		for _, below := range v {
			closeObjects(below)
		}
	}
}

// at follows keys, and references in between.
func (d *description) at(v any, keys ...string) any {
	for _, key := range append(keys, "") {
		for {
			m, _ := v.(map[string]any)
			ref, ok := m["$ref"].(string)
			if !ok {
				break
			}
			v = d.at(d.root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
		if key == "" {
			break
		}
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// pointer is a place in the document.
func pointer(keys ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	path := "openapi.json#"
	for _, key := range keys {
		path += "/" + url.PathEscape(escape.Replace(key))
	}
	return path
}

// check holds an answer of a path against the description.
func (d *description) check(path, asked string, got answer) {
	d.t.Helper()
	status := fmt.Sprint(got.code)
	responses := d.at(d.root, "paths", path, "get", "responses").(map[string]any)
	if responses[status] == nil && got.code >= 401 && got.code != http.StatusNotFound {
		status = fmt.Sprintf("%dXX", got.code/100)
	}
	response := d.at(responses, status)
	if response == nil {
		d.t.Errorf("%s: an answer %s is not described: %.200q", asked, status, got.body)
		return
	}
	d.seen[path+" "+status] = true
	content, _ := d.at(response, "content").(map[string]any)
	if content == nil {
		if got.body != "" {
			d.t.Errorf("%s: an answer %s has a body: %.200q", asked, status, got.body)
		}
		return
	}
	kind, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil || content[kind] == nil {
		d.t.Errorf("%s: an answer %s is %q, described are %v", asked, status, got.header.Get("Content-Type"), slices.Collect(maps.Keys(content)))
		return
	}
	keys := []string{"paths", path, "get", "responses", status}
	if ref, ok := responses[status].(map[string]any)["$ref"].(string); ok {
		keys = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	}
	var value any = got.body
	if kind == "application/json" {
		if value, err = jsonschema.UnmarshalJSON(strings.NewReader(got.body)); err != nil {
			d.t.Errorf("%s: %v in %.200q", asked, err, got.body)
			return
		}
	}
	d.fits(asked, value, append(keys, "content", kind, "schema")...)
}

// fits holds a value against the schema at a place.
func (d *description) fits(what string, value any, keys ...string) {
	d.t.Helper()
	schema, err := d.compiler.Compile(pointer(keys...))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		d.t.Errorf("%s: %v", what, err)
	}
	d.note(value, d.at(d.root, keys...))
}

// note notes which of the fields that a schema names a value has.
func (d *description) note(value, schema any) {
	s, _ := d.at(schema).(map[string]any)
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			d.note(one, s["items"])
		}
	case map[string]any:
		named, _ := s["properties"].(map[string]any)
		for name, one := range value {
			if named[name] == nil {
				d.note(one, s["additionalProperties"])
				continue
			}
			d.seen[fieldName(s, name)] = true
			d.note(one, named[name])
		}
	}
}

// fieldName names a field by all that stand beside it.
func fieldName(schema map[string]any, name string) string {
	return fmt.Sprint(slices.Sorted(maps.Keys(schema["properties"].(map[string]any))), " ", name)
}

// unseen gives what is described and did not come.
func (d *description) unseen() (missing []string) {
	for path, item := range d.root["paths"].(map[string]any) {
		for status := range d.at(item, "get", "responses").(map[string]any) {
			if !d.seen[path+" "+status] {
				missing = append(missing, path+" "+status)
			}
		}
	}
	var look func(where string, v any)
	look = func(where string, v any) {
		m, _ := v.(map[string]any)
		if named, ok := m["properties"].(map[string]any); ok {
			for name := range named {
				if !d.seen[fieldName(m, name)] {
					missing = append(missing, where+"."+name)
				}
			}
		}
		for key, below := range m {
			look(where+"/"+key, below)
		}
	}
	look("", d.at(d.root, "components", "schemas"))
	slices.Sort(missing)
	return missing
}
