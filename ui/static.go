package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"sync"
)

//go:embed static
var assets embed.FS

// staticFiles answers /static/<hash>/<name>. The hash is that of all the files,
// so a browser may keep each for ever: another build has another path.
type staticFiles struct {
	prefix string // "/static/<hash>/"
	bodies map[string][]byte
}

var static = sync.OnceValue(readAssets)

// bundles are the files that are made of all those of a folder, in the order of
// their names, so that a page needs one of each.
var bundles = map[string]string{"css": "style.css", "js": "page.js"}

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// readAssets panics only if the binary was built wrongly.
func readAssets() *staticFiles {
	out := &staticFiles{bodies: map[string][]byte{}}
	sum := sha256.New()
	err := fs.WalkDir(assets, "static", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := assets.ReadFile(name)
		if err != nil {
			return err
		}
		sum.Write([]byte(name))
		sum.Write(body)
		as := path.Base(name)
		if bundle, ok := bundles[path.Base(path.Dir(name))]; ok {
			as = bundle
		}
		out.bodies[as] = append(out.bodies[as], slim(body, as == "style.css")...)
		return nil
	})
	if err != nil {
		panic(err)
	}
	out.prefix = "/static/" + hex.EncodeToString(sum.Sum(nil))[:12] + "/"
	return out
}

// slim leaves out what only helps who writes a style sheet or a script: how lines
// are indented, empty ones, in a script comments, and in a style sheet the blanks
// around punctuation. No text in them is like that.
func slim(body []byte, css bool) []byte {
	var out []byte
	for line := range bytes.Lines(body) {
		if !css {
			line = comment.ReplaceAll(line, nil)
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(append(out, line...), '\n')
		}
	}
	if css {
		out = blanks.ReplaceAll(out, []byte("$1$2"))
		return bytes.ReplaceAll(out, []byte(";}"), []byte("}"))
	}
	return ends.ReplaceAll(out, []byte("$1$2"))
}

var (
	comment = regexp.MustCompile(`(^|\s)// .*`)
	blanks  = regexp.MustCompile(`\s*([{};,])\s*|(:)\s+`)
	ends    = regexp.MustCompile(`([{(\[;,])\n|\n([})\]])`) // of lines, where no statement ends by them
)

func (s *staticFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	dir, name := path.Split(r.URL.Path)
	body, ok := s.bodies[name]
	if !ok || dir != s.prefix {
		plain(w, http.StatusNotFound, "there is no such file")
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	answer(w, http.StatusOK, assetTypes[path.Ext(name)], dataPolicy, body)
}
