//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// metricNames finds names of metrics in a text.
var metricNames = regexp.MustCompile(`\b(?:jobrunner|go|process)_[a-z_]+[a-z]\b`)

// What the dashboard and the documentation name is there, with the labels that
// they use, and what there is the documentation names.
func TestMetricsThatAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	config := "listen: unix:" + w.path("page.sock") + "\nslots: {gpu: [0]}\ntypes: {say: {command: [echo], slots: {gpu: 1}}}\n"
	w.write(configFile, config)
	w.write("inbox/left.alone", "x")
	w.start()
	client := socketClient(t, w.path("page.sock"))
	w.run("add", "--wait", "say", "hi")
	w.try("add", "no-such-type")
	w.write(configFile, config+"bogus: 1\n")
	var text string
	w.until("all is counted", func() (err error) {
		text, err = fetch(client, "/metrics")
		for _, line := range []string{`jobrunner_jobs_ended_total{state="COMPLETED",type="say"} 1`, `jobrunner_requests_rejected_total 1`,
			`jobrunner_job_run_seconds_count{type="say"} 1`, `jobrunner_jobs{state="REJECTED",type="(other)"} 1`, `jobrunner_ready 1`, `jobrunner_database_up 1`,
			`jobrunner_config_refused 1`, `jobrunner_slot_tokens{slot="gpu"} 1`, `jobrunner_inbox_ignored_files 1`} {
			if err == nil && !strings.Contains(text, "\n"+line+"\n") {
				err = fmt.Errorf("there is no %s", line)
			}
		}
		return err
	})
	labels := map[string]string{} // of each metric one line
	for line := range strings.Lines(text) {
		if name := metricNames.FindString(line); name != "" && !strings.HasPrefix(line, "#") {
			labels[name] = line
		}
	}
	docs := readText(t, "docs/monitoring.md")
	for file, text := range map[string]string{"docs/monitoring.md": docs, "examples/grafana-dashboard.json": dashboardQueries(t)} {
		for _, use := range regexp.MustCompile(metricNames.String()+`(?:\{[^}]*\})?`).FindAllString(text, -1) {
			name, match, _ := strings.Cut(use, "{")
			line := labels[name]
			if line == "" {
				line = labels[name+"_bucket"]
			}
			if line == "" {
				t.Errorf("%s names %s, which there is not", file, name)
			}
			for _, label := range regexp.MustCompile(`([a-z]+)(?:[=!]|[,}]|$)`).FindAllStringSubmatch(regexp.MustCompile(`"[^"]*"`).ReplaceAllString(match, ""), -1) {
				if l := label[1]; l != "job" && l != "instance" && !strings.Contains(line, l+`="`) {
					t.Errorf("%s: %s has no label %s: %s", file, name, l, line)
				}
			}
		}
	}
	for name := range labels {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "jobrunner_") && !strings.Contains(docs, "`"+name) {
			t.Errorf("docs/monitoring.md does not name %s", name)
		}
	}
}

// fetch gets a text from the page.
func fetch(client *http.Client, path string) (string, error) {
	answer, err := client.Get("http://localhost" + path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return string(body), err
}

// readText reads a file of the project.
func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dashboardQueries gives all that the dashboard asks for.
func dashboardQueries(t *testing.T) string {
	t.Helper()
	var dashboard any
	if err := json.Unmarshal([]byte(readText(t, "examples/grafana-dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	var all []string
	var look func(key string, v any)
	look = func(key string, v any) {
		switch v := v.(type) {
		case string:
			if key == "expr" || key == "query" {
				all = append(all, v)
			}
		case []any:
			for _, one := range v {
				look(key, one)
			}
		case map[string]any:
			for key, one := range v {
				look(key, one)
			}
		}
	}
	look("", dashboard)
	if len(all) < 20 {
		t.Fatalf("only %d queries in the dashboard", len(all))
	}
	return strings.Join(all, "\n")
}
