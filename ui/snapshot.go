package ui

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"

	"jobrunner/jobs"
)

// Snapshots makes what the first page and the counts are at a moment, for files:
// those may look at them who may not open a port, or reach one.
type Snapshots struct{ server *server }

// NewSnapshots returns Snapshots of what a Handler with the same options shows.
// Who may see the page is not asked: that is up to who may read the files.
func NewSnapshots(o Options) *Snapshots { return &Snapshots{newServer(o)} }

// Stats gives the object of /api/v1/stats and the time, as JSON; and whether jobs
// run, so that something changes all the time.
func (s *Snapshots) Stats(ctx context.Context) (body []byte, running bool, err error) {
	stats, err := s.server.stats(ctx)
	if err != nil {
		return nil, false, err
	}
	body, err = json.Marshal(struct {
		Time string `json:"time"`
		statsAnswer
	}{s.server.now().UTC().Format(jobs.TimeFormat), stats})
	return append(body, '\n'), stats.Running > 0, err
}

// Page gives the first page as one file: its style is inside, a script it has none,
// and no link that leads to a server. It says when it was made, and loads itself
// anew after that time, as long as it is looked at.
func (s *Snapshots) Page(ctx context.Context, again time.Duration) ([]byte, error) {
	r, err := http.NewRequestWithContext(context.WithValue(ctx, beganKey{}, time.Now()), http.MethodGet, "/", nil)
	if err != nil {
		return nil, err
	}
	got := &inMemory{header: http.Header{}, code: http.StatusOK}
	s.server.recovered(s.server.pages).ServeHTTP(got, r)
	if got.code != http.StatusOK {
		return nil, fmt.Errorf("the page answers %d", got.code)
	}
	return standalone(got.body.Bytes(), s.server.now(), again)
}

// inMemory is an answer that is kept.
type inMemory struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (m *inMemory) Header() http.Header         { return m.header }
func (m *inMemory) WriteHeader(code int)        { m.code = code }
func (m *inMemory) Write(p []byte) (int, error) { return m.body.Write(p) }

// useless reports whether an element is of no use in a file, with all that is in it:
// what is run or sent, or leads to other pages only.
func useless(t html.Token) bool {
	switch t.Data {
	case "script", "noscript", "form", "dialog", "template":
		return true
	case "nav":
		return slices.Contains(t.Attr, html.Attribute{Key: "aria-label", Val: "Pages"})
	}
	return false
}

// standalone makes of a page of ours one that needs no server.
func standalone(page []byte, now time.Time, again time.Duration) ([]byte, error) {
	var out bytes.Buffer
	z := html.NewTokenizer(bytes.NewReader(page))
	headed := false
	leaving, depth := "", 0 // what is being left out, and how many of that name are open
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if err := z.Err(); err != io.EOF || depth > 0 || !headed {
				return nil, fmt.Errorf("the page cannot be read as far as its end: %w", err)
			}
			return out.Bytes(), nil
		}
		raw := bytes.Clone(z.Raw())
		t := z.Token()
		begins := kind == html.StartTagToken
		switch {
		case depth > 0:
			if t.Data == leaving && begins {
				depth++
			} else if t.Data == leaving && kind == html.EndTagToken {
				depth--
			}
		case begins && useless(t):
			leaving, depth = t.Data, 1
		case begins && t.Data == "link":
		case begins && t.Data == "title" && !headed: // pictures have titles too
			headed = true
			out.WriteString(headOf(again))
			out.Write(raw)
		case begins && t.Data == "main":
			out.WriteString(saidOf(now))
			out.Write(raw)
		case begins && t.Data == "a":
			out.WriteString(without(t, func(a html.Attribute) bool { return a.Key == "href" && !strings.HasPrefix(a.Val, "#") }))
		case begins && t.Data == "body":
			out.WriteString(without(t, func(a html.Attribute) bool { return strings.HasPrefix(a.Key, "data-") })) // for the script
		default:
			out.Write(raw)
		}
	}
}

// snapshotStyle is what only snapshots need: what were links are none.
const snapshotStyle = "a:not([href]){color:inherit;text-decoration:none;cursor:auto}\ncaption a:not([href]),h2 a:not([href]){display:none}\n"

// headOf is what stands in a snapshot's head in place of links: a policy that allows
// its style and nothing else, and the style.
func headOf(again time.Duration) string {
	style := string(static().bodies["style.css"]) + snapshotStyle
	sum := sha256.Sum256([]byte(style))
	return fmt.Sprintf("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"+
		"<meta http-equiv=\"refresh\" content=\"%d\">\n<style>%s</style>\n",
		base64.StdEncoding.EncodeToString(sum[:]), int(again.Seconds()), style)
}

// saidOf is the line that tells what a snapshot is, and when it is too old.
func saidOf(now time.Time) string {
	return fmt.Sprintf("<p id=\"snapshot\">Written <time datetime=\"%s\">%s</time> %s. This is a file; jobrunner writes it anew every minute at least. If that was longer ago, it does not run.</p>\n",
		now.UTC().Format(jobs.TimeFormat), now.Local().Format(time.DateTime), html.EscapeString(zone(now)))
}

// without gives a tag without some of its attributes.
func without(t html.Token, unwanted func(html.Attribute) bool) string {
	t.Attr = slices.DeleteFunc(t.Attr, unwanted)
	return t.String()
}
