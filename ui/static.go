package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
)

//go:embed static
var assets embed.FS

// staticFiles answers /static/<hash>/<name>. The hash is that of all the files,
// so a browser may keep each for ever: another build has another path.
type staticFiles struct {
	prefix string // "/static/<hash>/"
	bodies map[string][]byte
}

var static = readAssets()

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// readAssets panics only if the binary was built wrongly.
func readAssets() *staticFiles {
	out := &staticFiles{bodies: map[string][]byte{}}
	sum := sha256.New()
	entries, err := fs.ReadDir(assets, "static")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		body, err := assets.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		out.bodies[e.Name()] = body
		sum.Write([]byte(e.Name()))
		sum.Write(body)
	}
	out.prefix = "/static/" + hex.EncodeToString(sum.Sum(nil))[:12] + "/"
	return out
}

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
