//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// The page's API and the verbs give the same objects.
func TestPageAndVerbsAgree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	socket := w.path("page.sock")
	w.write("jobrunner.yaml", "listen: unix:"+socket+"\ntypes: {say: {command: [echo]}}\n"+
		"schedules: [{name: nightly, cron: 0 2 * * *, request: {type: say, args: [x]}}]\n")
	w.start()
	client := socketClient(t, socket)
	get := func(path string) (string, error) { return fetch(client, path) }
	w.until("requests are taken", func() error { _, err := get("/readyz"); return err })
	id := strings.TrimSpace(w.run("add", "--wait", "--label", "owner=ada", "say", "a b"))
	w.try("add", "no-such-type")
	w.run("add", "--hold", "--foreach", "n=1,2", "--label", "owner=bob", "say", "{n}")
	for path, verb := range map[string][]string{
		"/api/v1/jobs":       {"list", "--json"},
		"/api/v1/jobs/" + id: {"show", "--json", id},
		"/api/v1/stats":      {"stats", "--json"},
		"/api/v1/schedules":  {"list", "--scheduled", "--json"},

		"/api/v1/jobs?label=owner%3Dbob&state=PENDING": {"list", "--json", "--label", "owner=bob", "--state", "pending"},
	} {
		page, err := get(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if printed := w.run(verb...); !sameJSON(t, page, printed) {
			t.Errorf("%s gives\n%s\nand %s\n%s", path, page, verb, printed)
		}
	}
	if out, err := get("/api/v1/jobs/" + id + "/log"); out != "a b\n" || err != nil {
		t.Errorf("the log is %q, %v; want %q", out, err, "a b\n")
	}
	if page, err := get("/"); err != nil || !strings.Contains(page, "events: native") && !strings.Contains(page, "events: polling") {
		t.Errorf("the page does not say how events come: %v\n%s", err, page)
	}
}

// socketClient asks whoever listens on a socket, whatever host it asks for.
func socketClient(t *testing.T, socket string) *http.Client {
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	t.Cleanup(client.CloseIdleConnections)
	return client
}

// Names that the page answers to count at once when the configuration changes;
// one that was refused is named on the page, and the old one counts on.
func TestPageFollowsConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	config := "listen: unix:" + w.path("page.sock") + "\ntypes: {say: {command: [echo]}}\n"
	w.write(configFile, config)
	w.start()
	client := socketClient(t, w.path("page.sock"))
	answers := func(host string, code int, words string) {
		t.Helper()
		w.until(fmt.Sprintf("%s gets %d with %q", host, code, words), func() error {
			answer, err := client.Get("http://" + host + "/")
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err == nil && (answer.StatusCode != code || !strings.Contains(string(body), words)) {
				err = fmt.Errorf("%s\n%s", answer.Status, body)
			}
			return err
		})
	}
	answers("lab.example", http.StatusMisdirectedRequest, "lab.example")
	w.write(configFile, config+"allowed_hosts: [lab.example]\n")
	answers("lab.example", http.StatusOK, "Nothing runs")
	w.write(configFile, config+"alowed_hosts: []\n")
	answers("lab.example", http.StatusOK, configFile+":3:1: unknown key")
	w.write(configFile, config)
	answers("lab.example", http.StatusMisdirectedRequest, "lab.example")
	answers("localhost", http.StatusOK, "Nothing runs")
}

// sameJSON reports whether two texts are the same value.
func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var values [2]any
	for i, text := range []string{a, b} {
		if err := json.Unmarshal([]byte(text), &values[i]); err != nil {
			t.Errorf("%v in %s", err, text)
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}
