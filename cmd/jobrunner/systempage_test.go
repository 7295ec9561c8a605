//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"jobrunner/config"
)

// The page of the system says what is in force, where from, and what was refused.
func TestSystemPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	config := "listen: unix:" + w.path("page.sock") + "\ntypes: {say: {command: [echo], env: {TOKEN: hush-hush}, description: Says it}}\n" +
		"on_finish: [{command: [true, hush-hush]}]\n"
	w.write(configFile, config+"max_concurrent: 4\n")
	w.start()
	client := socketClient(t, w.path("page.sock"))
	shows := func(path string, wants ...string) {
		t.Helper()
		w.until(path+" has it", func() error {
			answer, err := client.Get("http://localhost" + path)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err == nil && answer.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s", answer.Status)
			}
			if strings.Contains(string(body), "hush-hush") {
				t.Errorf("%s shows a secret:\n%s", path, body)
			}
			for _, want := range wants {
				if err == nil && !strings.Contains(string(body), want) {
					err = fmt.Errorf("no %q in\n%s", want, body)
				}
			}
			return err
		})
	}
	id := strings.TrimSpace(w.run("add", "--wait", "say", "a b"))
	w.try("add", "sya")
	pid := strings.TrimSpace(w.read(".jobrunner/lock"))
	shows("/system", "<dt>Takes requests</dt><dd>yes</dd>", "pid "+pid, w.path(configFile), "<code>max_concurrent</code> 4", "<code>inbox</code> "+w.path("inbox"),
		" free of ", "<dt>Supervisor</dt><dd>pid ", ", speaks protocol ", "unknown type &#34;sya&#34;; did you mean &#34;say&#34;?", "/jobs/"+id[:8], "exit 0",
		"ended jobs go after 30 days, the newest 10000 stay", "lines are taken in, and states kept current in it", "<code>on_finish</code> 1")
	shows("/types/say", "Says it", "echo", "TOKEN", "1 COMPLETED")
	shows("/timeline", "say &#39;a b&#39;")

	w.write(configFile, config+"max_concurent: 4\nsettel: 1s\n")
	shows("/system", `jobrunner.yaml:4:1: unknown key &#34;max_concurent&#34;; did you mean &#34;max_concurrent&#34;?`, `jobrunner.yaml:5:1: unknown key &#34;settel&#34;`,
		"<code>max_concurrent</code> 4")
	w.write(configFile, config+"max_concurrent: 5\ninbox: other\nstatus: {json: counts.json}\n")
	shows("/system", "<code>max_concurrent</code> 5", "<code>status.html</code> none", "<code>status.json</code> "+w.path("counts.json"), "from the next start on: "+w.path("other"))
}

// What cannot be found out of a disk is left out, and what can is told.
func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{configFile: "types: {say: {command: [echo]}}\n"})
	c, err := config.Load(w.path(configFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(c.StateDir, 0o700), os.Mkdir(c.Inbox, 0o755), os.Mkdir(c.Outbox, 0o755)); err != nil {
		t.Fatal(err)
	}
	none := placesOf(c, func(string) (int64, int64, error) { return 0, 0, os.ErrNotExist })
	some := placesOf(c, room)
	for i, p := range some {
		if p.Total <= 0 || p.Free <= 0 || p.Free > p.Total {
			t.Errorf("%s: %d free of %d", p.What, p.Free, p.Total)
		}
		if none[i].Total != 0 || none[i].Path != p.Path {
			t.Errorf("of what cannot be looked at: %+v", none[i])
		}
	}
}
