package ui_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobrunner/jobs"
	"jobrunner/ui"
)

const maxLog = 64 << 10

// startBounded brings a job to RUNNING whose output is bounded and was a
// megabyte of numbered lines, of which some is cut: a hole is there instead.
func (s *site) startBounded() (j *jobs.Job, shown string) {
	s.t.Helper()
	j = s.add(jobs.Job{})
	s.start(j, "")
	var b strings.Builder
	for n := range 1 << 16 {
		fmt.Fprintf(&b, "line %010d\n", n)
	}
	cut := jobs.NewCut(maxLog).Grown(int64(b.Len()))
	s.write(jobs.CutName(j.ID, 1), string(cut.Bytes()))
	f, err := os.OpenFile(filepath.Join(s.opts.StateDir, "logs", j.ID+".log"), os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	head, tail := b.String()[:cut.Head], b.String()[cut.End:]
	if _, err := f.WriteAt([]byte(head), 0); err != nil {
		s.t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(tail), cut.End); err != nil {
		s.t.Fatal(err)
	}
	return j, fmt.Sprintf("%s[… %d.0 KiB not kept: max_log 64KiB …]\n%s", head, (cut.End-cut.Head)>>10, tail)
}

func TestLogThatWasCut(t *testing.T) {
	s := newSite(t)
	j, want := s.startBounded()
	path := "/api/v1/jobs/" + j.ID + "/log"
	lines := strings.SplitAfter(strings.TrimSuffix(want, "\n"), "\n")
	check := func(when string) {
		t.Helper()
		for _, tt := range []struct {
			query, span string
			code        int
			want        string
		}{
			{"", "", 200, want},
			{"?tail=3", "", 200, strings.Join(lines[len(lines)-3:], "") + "\n"},
			{"?tail=100000", "", 200, want},
			{"", "bytes=0-15", 206, want[:16]},
			{"", "bytes=-32", 206, want[len(want)-32:]},
			{"", "bytes=16380-16440", 206, want[16380:16441]},
			{"", "bytes=16500-", 206, want[16500:]},
		} {
			got := s.get(path+tt.query, "Range", tt.span)
			if got.code != tt.code || got.body != tt.want {
				t.Errorf("%s %s Range %q: %d with %d bytes, want %d with %d", when, tt.query, tt.span, got.code, len(got.body), tt.code, len(tt.want))
			}
		}
		page := s.get("/jobs/" + j.ID)
		page.contains(t, "line 0000065535", "the end; 60.0 KiB of it were kept, 964.0 KiB were not")
		page.lacks(t, "\uFFFD", "\x00", "line 0000002000<")
		if len(page.body) > ui.MaxPage {
			t.Errorf("%s: the page has %d bytes", when, len(page.body))
		}
	}
	check("running")
	if got := s.get(path); got.header.Get("Content-Length") != "" || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("while it runs: %v", got.header)
	}
	s.end(j, exited(jobs.Completed, 0))
	check("ended")
	if got := s.ask("HEAD", path); got.header.Get("Content-Length") != fmt.Sprint(len(want)) || got.header.Get("ETag") == "" {
		t.Errorf("when it has ended: %v, want %d bytes", got.header, len(want))
	}
}

// While a client reads, the job writes on: the client is told what it missed,
// and gets no NULs and no more than about what is kept.
func TestLogThatIsCutWhileItIsSent(t *testing.T) {
	s := newSite(t)
	j, _ := s.startBounded()
	server := httptest.NewServer(ui.Handler(s.opts))
	defer server.Close()
	name := filepath.Join(s.opts.StateDir, "logs", j.ID+".log")
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		record, err := os.OpenFile(filepath.Join(s.opts.StateDir, jobs.CutName(j.ID, 1)), os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer record.Close()
		size := int64(1 << 20)
		for cut := jobs.NewCut(maxLog).Grown(size); ; {
			select {
			case <-stop:
				return
			default:
			}
			more := strings.Repeat("a line of 16 by\n", 512)
			_, err := f.WriteAt([]byte(more), size)
			size += int64(len(more))
			was := cut.End
			cut = cut.Grown(size)
			if err == nil {
				_, err = record.WriteAt(cut.Bytes(), 0)
			}
			if err == nil {
				_, err = f.WriteAt(make([]byte, cut.End-was), was)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for range 50 {
		resp, err := http.Get(server.URL + "/api/v1/jobs/" + j.ID + "/log")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(body) > 2*maxLog || strings.ContainsRune(string(body), 0) || !strings.Contains(string(body), "not kept: max_log 64KiB …]\n") {
			t.Fatalf("got %d bytes, %d of them NUL, %v", len(body), strings.Count(string(body), "\x00"), err)
		}
	}
	close(stop)
	<-done
}
