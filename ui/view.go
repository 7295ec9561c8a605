package ui

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// mostViews is how many pages that nobody watches are remembered, so that who
// comes back, or opens a stream to a page just loaded, is sent only what differs.
const mostViews = 64

// views are the pages that are watched, or were lately.
type views struct {
	boot string // tells the numbers of this process from those of another
	seed maphash.Seed
	last atomic.Int64 // number of the newest difference, in whatever view: so those of a view that was forgotten are older than its successor's

	mu  sync.Mutex // guards what follows, and clients and usedAt of each view
	all map[string]*view
}

// view is a page, and what was last seen of it by whoever it was made for.
type view struct {
	path    string
	clients int
	usedAt  time.Time

	render sync.Mutex // held by who makes the page anew, for all who watch it

	mu       sync.Mutex // guards what follows
	madeAt   time.Time  // when the making of what is known began
	dirtyAt  time.Time  // when something was last known to have changed
	readings map[string]*jobs.Reading
	number   int64 // of the last difference
	parts    map[string]part
	head     head
	regions  []region
}

// part is a region, a row or the head as it was last seen.
type part struct {
	hash   uint64
	number int64 // of the difference that made it so
}

// head is what of a page is no region.
type head struct {
	Title  string `json:"title"`
	Icon   string `json:"icon"`
	Static string `json:"static"` // where another build has other files
}

func newViews() *views {
	return &views{boot: uuid.NewString()[:8], seed: maphash.MakeSeed(), all: map[string]*view{}}
}

// at gives the view of a page, a new one if it is not known. Of those that
// nobody watches the ones looked at last are kept.
func (vs *views) at(path string) *view {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v := vs.all[path]
	if v == nil {
		v = &view{path: path, parts: map[string]part{}}
		vs.all[path] = v
	}
	v.usedAt = time.Now()
	vs.forget()
	return v
}

// forget drops the view that nobody has watched or asked for the longest, if
// there are too many of them. The caller holds mu.
func (vs *views) forget() {
	var oldest *view
	idle := 0
	for _, v := range vs.all {
		if v.clients > 0 {
			continue
		}
		if idle++; oldest == nil || v.usedAt.Before(oldest.usedAt) {
			oldest = v
		}
	}
	if idle > mostViews {
		delete(vs.all, oldest.path)
	}
}

// watch gives the view of a page that is not forgotten until the func is called.
func (vs *views) watch(path string) (*view, func()) {
	v := vs.at(path)
	count := func(n int) {
		vs.mu.Lock()
		defer vs.mu.Unlock()
		v.clients += n
		vs.all[path] = v // also if it was forgotten in between
	}
	count(1)
	return v, func() { count(-1) }
}

// note takes in a page as it is sent to somebody, and gives the id of the last
// difference that it holds; "" if meanwhile another was made after it.
func (vs *views) note(path, page string, h head, madeAt time.Time) string {
	v := vs.at(path)
	v.mu.Lock()
	defer v.mu.Unlock()
	if madeAt.Before(v.madeAt) {
		return ""
	}
	v.madeAt, v.head, v.regions = madeAt, h, regions(page)
	seen := make(map[string]part, len(v.parts))
	keep := func(id, content string) {
		hash := maphash.String(vs.seed, content)
		p, known := v.parts[id]
		if !known || p.hash != hash {
			v.number = vs.last.Add(1)
			p = part{hash, v.number}
		}
		seen[id] = p
	}
	keep("", h.Title+"\n"+h.Icon+"\n"+h.Static)
	for _, r := range v.regions {
		keep(r.id, r.frame)
		for _, one := range r.rows {
			keep(one.id, one.html)
		}
	}
	v.parts = seen
	return vs.id(v.number)
}

func (vs *views) id(number int64) string { return vs.boot + "-" + strconv.FormatInt(number, 10) }

// number is that of an id that was given out; 0, before every difference, if it
// is of another process or none.
func (vs *views) number(id string) int64 {
	boot, digits, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || boot != vs.boot {
		return 0
	}
	return n
}

// since gives the messages that bring a client up to date which knows the page
// up to that number, and what it knows then. Where a region has other rows than
// before the whole of it is sent, else each row that differs. Only the last
// message has an id: who gets some of them asks for all again.
func (v *view) since(vs *views, number int64) ([]message, int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if number > v.number {
		number = 0 // not of this view
	}
	var out []message
	add := func(name string, data any) { out = append(out, message{name: name, data: bareJSON(data)}) }
	newer := func(id string) bool { return v.parts[id].number > number }
	for _, r := range v.regions {
		if newer(r.id) {
			add("frag", fragment{r.id, r.html})
			continue
		}
		for _, one := range r.rows {
			if newer(one.id) {
				add("frag", fragment{one.id, one.html})
			}
		}
	}
	if newer("") {
		add("head", v.head)
	}
	if len(out) > 0 {
		out[len(out)-1].id = vs.id(v.number)
	}
	return out, v.number
}

// bareJSON leaves < and > as they are, of which HTML has many.
func bareJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // our own types always encode
	}
	return bytes.TrimSpace(b.Bytes())
}

// fragment is a region or a row as it is now.
type fragment struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// livePage reads which page a stream is to tell of: the path and query of one
// of ours.
func livePage(text string) (string, error) {
	u, err := url.ParseRequestURI(text)
	switch {
	case err != nil, u.Scheme != "", u.Host != "", !strings.HasPrefix(u.Path, "/"), len(text) > 4*maxQuery:
		return "", badRequest(fmt.Sprintf("page is %q, want the path and query of a page here, such as /jobs?state=RUNNING", fit(text, 60)))
	}
	return pagePath(u), nil
}

// pagePath names a page among the views.
func pagePath(u *url.URL) string {
	if u.RawQuery == "" {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + u.RawQuery
}
