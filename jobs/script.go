package jobs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var (
	// errNotOurs: the name has another extension, or the type runs no scripts.
	errNotOurs = errors.New("not a script of this type")
	// errNotThere: no file bears the name.
	errNotThere = errors.New("is not there")
)

// Script gives the absolute path, links resolved, of the script that name
// stands for: a regular file below t.Scripts that bears one of t.Extensions.
// name is relative to t.Scripts or to dir, the configuration's folder; an
// absolute path must lie below t.Scripts too. The file is not opened.
func (t *Type) Script(name, dir string) (string, error) {
	if t.Scripts == "" || !t.bears(name) {
		return "", errNotOurs
	}
	if strings.HasPrefix(name, "-") || strings.ContainsRune(name, 0) {
		return "", fmt.Errorf("%s cannot be the name of a script", shown(name))
	}
	root, err := filepath.EvalSymlinks(t.Scripts)
	if err != nil {
		return "", fmt.Errorf("opening the scripts folder of type %q: %w", t.Name, err)
	}
	paths := t.candidates(name, dir, root)
	if len(paths) == 0 {
		return "", fmt.Errorf("script %s lies outside of %s", shown(name), relative(dir, t.Scripts))
	}
	for _, path := range paths {
		var real string
		if real, err = t.regular(path, root); err == nil {
			return real, nil
		}
		if !errors.Is(err, errNotThere) {
			return "", fmt.Errorf("script %s %w", shown(name), err)
		}
	}
	return "", fmt.Errorf("script %s %w, in %s", shown(name), errNotThere, relative(dir, t.Scripts))
}

// candidates gives the paths that name may stand for. All are below the
// scripts folder as written; where their links lead is not yet known.
func (t *Type) candidates(name, dir, root string) []string {
	var paths []string
	switch name = filepath.FromSlash(name); {
	case filepath.IsAbs(name):
		if name = filepath.Clean(name); below(t.Scripts, name) || below(root, name) {
			paths = append(paths, name)
		}
	case filepath.IsLocal(name):
		paths = append(paths, filepath.Join(t.Scripts, name))
		if path := filepath.Join(dir, name); below(t.Scripts, path) && path != paths[0] {
			paths = append(paths, path)
		}
	}
	return paths
}

// regular resolves the links of path and checks what they lead to.
func (t *Type) regular(path, root string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	var info fs.FileInfo
	if err == nil {
		info, err = os.Lstat(real)
	}
	switch {
	case notThere(err):
		return "", errNotThere
	case err != nil:
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err // without the path, which is known
		}
		return "", fmt.Errorf("cannot be looked at: %w", err)
	case !below(root, real):
		return "", errors.New("is a link that leads outside")
	case !info.Mode().IsRegular():
		return "", errors.New("is no regular file")
	case !t.bears(real):
		return "", errors.New("is a link to a file of another extension")
	}
	return real, nil
}

// bears reports whether name ends in one of the type's extensions.
func (t *Type) bears(name string) bool {
	if len(t.Extensions) == 0 {
		return true
	}
	base := filepath.Base(name)
	for _, ext := range t.Extensions {
		if len(base) > len(ext) && sameName(base[len(base)-len(ext):], ext) {
			return true
		}
	}
	return false
}

// Folder gives the absolute folder in which a job of the type works: the
// type's own, or workdir below it. What of it exists must lead to a folder
// below the type's, links resolved; the rest may yet be made.
func (t *Type) Folder(workdir string) (string, error) {
	if workdir == "" {
		return t.Workdir, nil
	}
	path := filepath.FromSlash(workdir)
	local := filepath.IsLocal(path)
	if local {
		path = filepath.Join(t.Workdir, path)
	}
	path = filepath.Clean(path)
	switch {
	case !local && !filepath.IsAbs(path) || !below(t.Workdir, path) || strings.ContainsRune(path, 0):
		return "", fmt.Errorf("workdir %s lies outside of that of type %q", shown(workdir), t.Name)
	case len(path) > maxPath:
		return "", fmt.Errorf("workdir %s is longer than a path can be", shown(workdir))
	}
	root, err := filepath.EvalSymlinks(t.Workdir)
	if err != nil {
		return "", fmt.Errorf("opening the workdir of type %q: %w", t.Name, err)
	}
	real, err := filepath.EvalSymlinks(standing(filepath.Clean(t.Workdir), path))
	if err != nil || !below(root, real) {
		return "", fmt.Errorf("workdir %s has a link that leads outside of that of type %q", shown(workdir), t.Name)
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return "", fmt.Errorf("workdir %s is no folder", shown(workdir))
	}
	return path, nil
}

// maxPath is how long a path may be; no system takes longer ones.
const maxPath = 4 << 10

// standing gives the part of path, from root on, that is there. It goes down
// from root: of a path of a thousand new folders one is looked at.
func standing(root, path string) string {
	part := root
	rest := strings.TrimPrefix(path[len(root):], string(filepath.Separator))
	for rest != "" {
		var name string
		name, rest, _ = strings.Cut(rest, string(filepath.Separator))
		next := filepath.Join(part, name)
		if _, err := os.Lstat(next); notThere(err) {
			break
		}
		part = next
	}
	return part
}

// notThere reports whether err means that nothing bears the path, also because
// a part of it is a file and no folder.
func notThere(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotFolder)
}

// below reports whether path, both cleaned, is root or lies below it.
func below(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// relative names path as a person in dir does.
func relative(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}
