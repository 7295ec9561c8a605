package main

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

// scene is a daemon with jobs as people have them, of all that a picture of it
// is to show: some run and tell how far they have come, one says nothing any
// more, some wait and some have failed. It is as it would be after hours.
type scene struct {
	*world
	page string // where the page is
}

// newScene starts it. What it shows does not change until the end of the test,
// but for times.
func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{world: newWorld(t, nil)}
	values := strings.NewReplacer("LISTEN", s.freeAddress(), "USER", s.otherUser())
	for _, name := range []string{"jobrunner.yaml", "scripts/train.py", "scripts/sweep.py", "scripts/convert.sh", "scripts/evaluate.py"} {
		text, err := os.ReadFile(filepath.Join("testdata/scene", name))
		if err != nil {
			t.Fatal(err)
		}
		s.write(name, values.Replace(string(text)))
	}
	s.write("films/README", "a file named over ends what runs\n")
	s.start()
	t.Cleanup(func() { s.write("films/over", "") })
	s.past()
	s.present()
	s.end(syscall.SIGTERM) // what runs, runs on
	s.age()
	s.start()
	since := time.Now().Add(-292 * time.Hour)
	if err := os.Chtimes(s.path(".jobrunner/"+lockName), since, since); err != nil {
		t.Fatal(err)
	}
	s.until("the daemon has taken over what runs", func() error {
		out := s.run("status")
		for _, want := range []string{"58%", "41%", "no output for 47 min", "daemon running"} {
			if !strings.Contains(out, want) {
				return fmt.Errorf("no %q in\n%s", want, out)
			}
		}
		return nil
	})
	return s
}

// otherUser is whose rights the jobs have: a daemon that is root warns if they are
// root too.
func (s *scene) otherUser() string {
	if os.Getuid() != 0 {
		return ""
	}
	s.open()
	return "nobody"
}

func (s *scene) freeAddress() string {
	s.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	defer l.Close()
	s.page = "http://" + l.Addr().String() + "/"
	return l.Addr().String()
}

// past runs what has ended.
func (s *scene) past() {
	s.Helper()
	for i := range 12 {
		s.run("add", "--wait", "convert", fmt.Sprintf("clip%d.mov", i+10))
	}
	for range 5 {
		s.run("add", "--wait", "evaluate")
	}
	s.try("add", "--wait", "convert", "broken.mov")
	s.try("add", "--wait", "train", "--lr", "0.1")
	s.appendLine("convrt clip9.mov")
	s.until("a line was refused", func() error {
		if n := s.counts()[jobs.Rejected]; n != 1 {
			return fmt.Errorf("%d were", n)
		}
		return nil
	})
}

// present submits what runs and waits.
func (s *scene) present() {
	s.Helper()
	first := strings.TrimSpace(s.run("add", "train", "--lr", "0.01"))
	s.run("add", "sweep", "--fold", "3")
	s.run("add", "convert", "clip7.mov")
	s.until("three run", func() error {
		if n := s.counts()[jobs.Running]; n != 3 {
			return fmt.Errorf("%d run", n)
		}
		return nil
	})
	s.run("add", "train", "--lr", "0.001")
	s.run("add", "--after", first, "--name", "report", "evaluate")
	s.run("add", "--hold", "convert", "clip8.mov")
	s.run("add", "convert", "clip9.mov")
}

// aged is when jobs of the scene came, started and ended, back from now.
var aged = []struct {
	target, args      string
	came, began, over time.Duration
}{
	{"train", "0.01", 185 * time.Minute, 182 * time.Minute, 0},
	{"sweep", "3", 94 * time.Minute, 92 * time.Minute, 0},
	{"convert", "clip7", 11 * time.Minute, 376 * time.Second, 0},
	{"train", "0.001", 90 * time.Minute, 0, 0},
	{"convert", "clip8", 60 * time.Minute, 0, 0},
	{"convert", "clip9", 9 * time.Minute, 0, 0},
	{"train", "0.1", 200 * time.Minute, 194 * time.Minute, 12 * time.Minute},
	{"convert", "broken", 75 * time.Minute, 74 * time.Minute, 74 * time.Minute},
}

// age makes of seconds hours, while no daemon runs.
func (s *scene) age() {
	s.Helper()
	db, err := sql.Open("sqlite", s.path(".jobrunner/"+databaseFile))
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	now := time.Now()
	ago := func(d time.Duration) int64 {
		if d == 0 {
			return 0
		}
		return now.Add(-d).UnixMilli()
	}
	exec := func(query string, args ...any) {
		s.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			s.Fatalf("%s: %v", query, err)
		}
	}
	// Films and evaluations of the day, one after the other.
	exec(`UPDATE jobs SET submitted_at = ?1 - (18 - seq) * 1500000, started_at = ?1 - (18 - seq) * 1500000 + 4000,
		finished_at = ?1 - (18 - seq) * 1500000 + 4000 + 480000 + seq % 5 * 61000 WHERE state = 'COMPLETED'`, now.UnixMilli())
	exec("UPDATE jobs SET submitted_at = ?1, finished_at = ?1 WHERE state = 'REJECTED'", ago(3*time.Hour))
	for _, a := range aged {
		exec("UPDATE jobs SET submitted_at = ?, started_at = ?, finished_at = ? WHERE type = ? AND args LIKE ?",
			ago(a.came), ago(a.began), ago(a.over), a.target, "%"+a.args+"%")
	}
	exec("UPDATE jobs SET submitted_at = ? WHERE type = 'evaluate' AND state = 'PENDING'", ago(88*time.Minute))
	exec(`UPDATE attempts SET started_at = (SELECT started_at FROM jobs WHERE id = job), finished_at = (SELECT finished_at FROM jobs WHERE id = job)`)
	exec("DELETE FROM readings")
	// What charts of the last day are drawn from, quiet at night.
	exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 287)
		INSERT OR REPLACE INTO samples SELECT (?1 / 300000 - i) * 300000, (i * 7 % 23 + i / 20) % 14 * (i < 150), 1 + i % 3 * (i < 150), 3,
		i % 5 < 2, i % 31 = 0, i % 83 = 0 FROM n`, now.UnixMilli())
	quiet := now.Add(-47 * time.Minute)
	var log string
	if err := db.QueryRow("SELECT log FROM jobs WHERE type = 'sweep'").Scan(&log); err != nil {
		s.Fatal(err)
	}
	if err := os.Chtimes(s.path(".jobrunner/"+log), quiet, quiet); err != nil {
		s.Fatal(err)
	}
}
