package ui

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"net/http"
	"time"
)

// openAPI describes the API for programs.
//
//go:embed openapi.json
var openAPI []byte

var openAPITag = fmt.Sprintf(`"%x"`, sha256.Sum256(openAPI))[:18] + `"`

// openapi answers with the description of the API, or that it is as the client
// knows it.
func (s *server) openapi(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", typeJSON)
	h.Set("Cache-Control", "no-cache") // keep it, and ask whether it is the same
	h.Set("ETag", openAPITag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(openAPI))
}
