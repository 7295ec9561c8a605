package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"jobrunner/jobs"
)

// typeFile is a file of TypesDir that is to be a type.
type typeFile struct {
	typ   string // name of the type
	name  string // as faults name the file
	data  []byte
	wrong string // why it could not be read; "" if it was
}

// typeFiles reads one file after the other, in the order of their names, and
// gives a digest of main and all of them, and why the folder cannot be read. A
// folder that is not there has no files.
func (c *Config) typeFiles(main digest, each func(typeFile)) (sum digest, wrong string) {
	names, wrong := typeFileNames(c.TypesDir)
	all := sha256.New()
	fmt.Fprintf(all, "%x %q\n", main, wrong)
	for _, name := range names {
		f := typeFile{typ: strings.TrimSuffix(name, filepath.Ext(name))}
		path := filepath.Join(c.TypesDir, name)
		f.name = jobs.Sanitize(shownPath(c.Dir, path))
		f.data, f.wrong = contents(path)
		fmt.Fprintf(all, "%q %x\n", name, f.sum())
		each(f)
	}
	copy(sum[:], all.Sum(nil))
	return sum, wrong
}

// sum tells contents of the file apart, and reasons why it has none.
func (f typeFile) sum() digest { return sha256.Sum256(append(f.data, "\x00"+f.wrong...)) }

func typeFileNames(dir string) (names []string, wrong string) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ""
	case err == nil && !info.IsDir():
		return nil, dir + " is no folder"
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, dir + ": " + reason(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); isTypeFile(name) {
			names = append(names, name)
		}
	}
	return names, ""
}

// isTypeFile leaves out, beside what is no YAML, names that stand for copies
// and files that are being written; those of other endings are among the former.
func isTypeFile(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || strings.HasPrefix(name, "#") {
		return false
	}
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}

// shownPath names path as a person in dir does.
func shownPath(dir, path string) string {
	if rel := relative(dir, path); filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// relative gives path as seen from dir, path itself where that cannot be.
func relative(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return path
	}
	return rel
}

// addTypes reads the types of TypesDir. One whose file is broken stays as it
// is in before; if the folder cannot be read, all of them do.
func (c *Config) addTypes(before *Config) {
	sum, wrong := c.typeFiles(c.main, func(f typeFile) { c.addType(f, before) })
	c.sum = sum
	if wrong == "" {
		return
	}
	c.report(Faults{c.fault("types_dir", wrong, "")}, c.main)
	if before == nil || before.TypesDir != c.TypesDir {
		return
	}
	for _, typ := range slices.Sorted(maps.Keys(before.files)) {
		c.keep(typ, before.files[typ], before)
	}
}

func (c *Config) addType(f typeFile, before *Config) {
	if other := c.definedIn(f.typ); other != "" {
		c.report(Faults{{
			File: f.name, Message: fmt.Sprintf("type %q stands in %s too, and that one counts", f.typ, other),
			Hint: "remove one, or name it otherwise",
		}}, f.sum())
		return
	}
	t, d := c.decodeType(f)
	if len(d.faults) > 0 {
		d.faults.sort()
		c.report(d.faults, f.sum())
		c.keep(f.typ, f.name, before)
		return
	}
	c.Catalog.Types[f.typ], c.files[f.typ] = t, f.name
	for key, at := range d.at {
		c.at["types."+f.typ+"."+key] = at
	}
}

// definedIn names the file that a type is from; "" if there is none of that name.
func (c *Config) definedIn(typ string) string {
	switch {
	case c.Catalog.Types[typ] == nil:
		return ""
	case c.files[typ] != "":
		return c.files[typ]
	}
	return filepath.Base(c.Path)
}

func (c *Config) decodeType(f typeFile) (*jobs.Type, *decoder) {
	d := &decoder{file: f.name, dir: c.Dir, sample: minimalType, at: map[string]jobs.Position{}, serving: c.serving}
	fault := &jobs.Fault{File: f.name}
	switch {
	case f.wrong != "":
		fault.Message = f.wrong
	case !plainName.fits(f.typ):
		fault.Message, fault.Hint = show(f.typ)+" is no name of a type", "name the file with a letter and up to 63 letters, digits, _ or -"
	case reserved[f.typ]:
		fault.Message, fault.Hint = show(f.typ)+" is the name of an action", "name the file otherwise"
	default:
		return d.typeDocument(c, f), d
	}
	d.faults = Faults{fault}
	return nil, d
}

func (d *decoder) typeDocument(c *Config, f typeFile) *jobs.Type {
	root := d.document(f.data)
	if root == nil {
		return nil
	}
	t := d.typ(f.typ, value{node: root, at: root})
	for _, check := range d.later {
		check(c)
	}
	return t
}

// keep leaves a type in force as it is in before, if it is from that file.
func (c *Config) keep(typ, file string, before *Config) {
	if before == nil || before.files[typ] != file || c.Catalog.Types[typ] != nil {
		return
	}
	c.Catalog.Types[typ], c.files[typ] = before.Catalog.Types[typ], file
}

// report notes faults of TypesDir; content is what they are about. Hints do not
// count as news: they name other types.
func (c *Config) report(faults Faults, content digest) {
	for _, fault := range faults {
		c.TypeFaults = append(c.TypeFaults, fault)
		words := fmt.Sprintf("%s:%d:%d %s %x", fault.File, fault.Line, fault.Column, fault.Message, content)
		c.said = append(c.said, sha256.Sum256([]byte(words)))
	}
}

// news gives the TypeFaults that before does not have.
func (c *Config) news(before *Config) Faults {
	var news Faults
	for i, fault := range c.TypeFaults {
		if before == nil || !slices.Contains(before.said, c.said[i]) {
			news = append(news, fault)
		}
	}
	return news
}

// lacks reports whether a type from TypesDir is gone that before has.
func (c *Config) lacks(before *Config) bool {
	for typ := range before.files {
		if c.Catalog.Types[typ] == nil {
			return true
		}
	}
	return false
}
