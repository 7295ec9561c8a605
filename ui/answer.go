package ui

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json"
	typeText = "text/plain; charset=utf-8"

	// pagePolicy lets a page load its own style sheet, script and icon and ask
	// this server again; nothing inline, nothing from elsewhere, no frame. A script
	// makes elements of text only through the policy jr, see static/js/base.js.
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types jr"
	// dataPolicy is for what is no page: it may load nothing at all.
	dataPolicy = "default-src 'none'; frame-ancestors 'none'"
)

// answer writes a whole answer that is in memory.
func answer(w http.ResponseWriter, code int, contentType, policy string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Security-Policy", policy)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

// plain answers with one line of text.
func plain(w http.ResponseWriter, code int, words string) {
	answer(w, code, typeText, dataPolicy, []byte(words+"\n"))
}

// writeJSON answers with v and a final newline.
func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types always encode
	}
	answer(w, code, typeJSON, dataPolicy, append(body, '\n'))
}

// fail answers with an error in the form the route speaks: JSON below /api,
// plain words elsewhere.
func fail(w http.ResponseWriter, r *http.Request, code int, words string) {
	if isAPI(r) {
		writeJSON(w, code, map[string]string{"error": words})
		return
	}
	plain(w, code, words)
}

func isAPI(r *http.Request) bool {
	return r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/")
}
