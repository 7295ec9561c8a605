package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/config"
	"jobrunner/jobs"
)

var update = flag.Bool("update", false, "write what the bad files give into their .txt files")

func testdata(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("files testdata/%s: %d, %v", pattern, len(files), err)
	}
	return files
}

// write puts a file into a new folder and gives its path.
func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jobrunner.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, path string) *config.Config {
	t.Helper()
	c, err := config.Load(path)
	if err != nil {
		t.Fatalf("Load(%q) = %v", path, err)
	}
	return c
}

// faults loads a bad file and gives its lines.
func faults(t *testing.T, path string) string {
	t.Helper()
	c, err := config.Load(path)
	if err == nil {
		t.Fatalf("Load(%q) = %+v, want an error", path, c)
	}
	var all config.Faults
	if !errors.As(err, &all) {
		t.Fatalf("Load(%q) gives a %T, want Faults", path, err)
	}
	return err.Error() + "\n"
}

// Each testdata/*.bad.yaml gives the lines of the .txt beside it, in which DIR
// stands for the folder.
func TestBadFiles(t *testing.T) {
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range testdata(t, "*.bad.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			got := strings.ReplaceAll(faults(t, path), dir, "DIR")
			wanted := strings.TrimSuffix(path, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(wanted, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wanted)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
			if strings.Contains(got, "hunter") {
				t.Errorf("the value of a variable is repeated: %s", got)
			}
		})
	}
}

func TestGoodFiles(t *testing.T) {
	for _, path := range testdata(t, "*.good.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) { load(t, path) })
	}
}

func TestDefaults(t *testing.T) {
	path := write(t, "types: {countdown: {command: [python3]}}\n")
	dir := filepath.Dir(path)
	got := load(t, path)
	want := &config.Config{
		Path: path, Dir: dir,
		Inbox: filepath.Join(dir, "inbox"), Outbox: filepath.Join(dir, "outbox"),
		QueueFile: filepath.Join(dir, "job_queue.txt"), StateDir: filepath.Join(dir, ".jobrunner"),
		Listen: "127.0.0.1:8080", Log: config.LogConfig{Level: "info", Format: "auto"},
		PollInterval: 2 * time.Second, Settle: 300 * time.Millisecond, SettleBad: 5 * time.Second,
		MaxRequestSize: 65536, QueueKeep: 1000, Retention: jobs.Retention{Age: 720 * time.Hour, Jobs: 10_000}, TypesDir: filepath.Join(dir, "types.d"),
		Catalog: &jobs.Catalog{Dir: dir, MaxConcurrent: 3, MaxPending: 1_000_000, Types: map[string]*jobs.Type{
			"countdown": {
				Name: "countdown", Command: []string{"python3"}, Args: jobs.ArgRules{Max: -1},
				Workdir: dir, KillGrace: 10 * time.Second, Umask: -1,
				RetryDelay: 5 * time.Second, RetryOn: jobs.RetryRules{Failed: true},
			},
		}},
	}
	compare(t, got, want)
}

func TestEveryKey(t *testing.T) {
	path, err := filepath.Abs("testdata/full.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	got := load(t, "testdata/full.good.yaml")
	want := &config.Config{
		Path: path, Dir: dir,
		Inbox: filepath.Join(dir, "in"), Outbox: filepath.Join(filepath.Dir(dir), "spool", "out"),
		QueueFile: filepath.Join(dir, "run", "queue.txt"), StateDir: filepath.Join(filepath.Dir(dir), "state"),
		Listen: "[::]:9090", AllowedHosts: []string{"jobs.example.org", "192.0.2.7", "2001:db8::1"}, InsecurePublic: true,
		Log:          config.LogConfig{Level: "debug", Format: "json"},
		PollInterval: 500 * time.Millisecond, Settle: 0, SettleBad: 90 * time.Second,
		MaxRequestSize: 1 << 20, QueueKeep: 0, Retention: jobs.Retention{Age: 36 * time.Hour}, TypesDir: filepath.Join(dir, "kinds"),
		Catalog: &jobs.Catalog{Dir: dir, MaxConcurrent: 8, MaxPending: 20, Slots: map[string]jobs.SlotPool{
			"gpu":     {Tokens: []string{"0", "GPU-8f3a"}, PerSlot: 1},
			"licence": {Tokens: []string{"0", "1"}, PerSlot: 1},
			"shared":  {Tokens: []string{"a", "b"}, PerSlot: 3},
		}, OnFinish: []jobs.Hook{
			{At: position(30, 5), Command: []string{"./notify.sh", "-v"}, On: jobs.HookStates(), Timeout: time.Minute},
			{
				At: position(31, 5), URL: "https://hooks.example.org/x", SecretFile: filepath.Join(filepath.Dir(dir), "hook.key"),
				On: []jobs.State{jobs.Failed, jobs.Lost}, AllDone: true, Timeout: 3 * time.Second,
			},
		}, Types: map[string]*jobs.Type{
			"countdown": {
				Name: "countdown", Description: "counts down",
				Command: []string{"python3", "-u", "examples/countdown.py", "0.10", "010", "true", ""},
				Args:    jobs.ArgRules{Min: 1, Max: 2, Pattern: regexp.MustCompile(`^(?:[0-9]{1,6}|x)$`)},
				Params:  everyParam(dir),
				Workdir: filepath.Join(dir, "runs"),
				Env:     map[string]string{"EPOCHS": "010", "MODE": "a b", "EMPTY": ""},
				EnvPass: []string{"HF_HOME", "_x1"}, EnvAllow: []string{"SEED"},
				MaxConcurrent: 2, Priority: -1000, Timeout: 2 * time.Hour, KillGrace: time.Second,
				SuccessCodes: []int{0, 255}, Umask: 0o27,
				MaxRetries: 3, RetryDelay: 30 * time.Second,
				RetryOn: jobs.RetryRules{Failed: true, Codes: []int{75}, Signals: []string{"SIGKILL", "SIG34"}, Timeout: true, Lost: true},
				Slots:   map[string]int{"gpu": 2, "shared": 1},
				Nice:    ptr(-5), MemoryLimit: 4 << 30, CPULimit: 1.5, MaxLog: 10 << 20,
				OnFinish: []jobs.Hook{{
					At: position(68, 16), URL: "http://127.0.0.1:9/", Secret: "0123", AllDone: true,
					Timeout: 10 * time.Second, Retries: 5,
				}},
				Progress: jobs.ProgressRule{Pattern: regexp.MustCompile(`(?P<label>\w+) (?P<done>[0-9]+)/(?P<total>[0-9]+)`)},
			},
			"python": {
				Name: "python", Interpreter: []string{"python3", "-u"},
				Scripts: filepath.Join(dir, "examples"), Extensions: []string{".py", ".PYW"},
				Args: jobs.ArgRules{Max: -1}, Workdir: dir, KillGrace: 10 * time.Second, Umask: -1,
				RetryDelay: 5 * time.Second, RetryOn: jobs.RetryRules{Failed: true}, OnChange: jobs.OnChangeCopy,
				Progress: jobs.ProgressRule{Off: true},
				OnFinish: []jobs.Hook{{
					At: position(76, 17), URL: "https://x.example", SecretEnv: "HOOK_KEY", On: jobs.HookStates(),
					Timeout: 10 * time.Second, Retries: 5,
				}},
			},
		}},
	}
	got.Catalog.Schedules = nil // TestSchedules
	compare(t, got, want)
}

func position(line, column int) jobs.Position {
	return jobs.Position{File: "full.good.yaml", Line: line, Column: column}
}

func ptr[T any](v T) *T { return &v }

func everyParam(dir string) []jobs.Param {
	return []jobs.Param{
		{Name: "zeta", Kind: jobs.ParamFloat, Min: ptr(-1.5), Max: ptr(1000.0), Default: "0.10", HasDefault: true},
		{Name: "epochs", Kind: jobs.ParamInt, Min: ptr(1.0), Default: "10", HasDefault: true},
		{Name: "model", Kind: jobs.ParamEnum, Values: []string{"small", "2"}, Default: "2", HasDefault: true},
		{Name: "data", Kind: jobs.ParamPath, Below: filepath.Join(dir, "data"), Default: "set1", HasDefault: true},
		{Name: "note", Kind: jobs.ParamText, Pattern: regexp.MustCompile(`^(?:[a-z]*)$`), HasDefault: true},
		{Name: "free", Kind: jobs.ParamText},
		{Name: "api-key", Kind: jobs.ParamSecret, Env: "API_KEY"},
		{Name: "token", Kind: jobs.ParamSecret, Env: "API_TOKEN", Default: "hunter2", HasDefault: true},
	}
}

// compare holds every exported field of two configurations against each other.
func compare(t *testing.T, got, want *config.Config) {
	t.Helper()
	if !reflect.DeepEqual(got.Catalog, want.Catalog) {
		for name, w := range want.Catalog.Types {
			if g := got.Catalog.Types[name]; !reflect.DeepEqual(g, w) {
				t.Errorf("type %s:\n got %+v\nwant %+v", name, g, w)
			}
		}
		t.Errorf("catalog:\n got %+v\nwant %+v", got.Catalog, want.Catalog)
	}
	g, w := reflect.ValueOf(*got), reflect.ValueOf(*want)
	for _, field := range reflect.VisibleFields(g.Type()) {
		if !field.IsExported() || field.Name == "Catalog" {
			continue
		}
		a, b := g.FieldByIndex(field.Index).Interface(), w.FieldByIndex(field.Index).Interface()
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: got %v, want %v", field.Name, a, b)
		}
	}
}

func TestValues(t *testing.T) {
	const types = "\ntypes: {a: {command: [echo]}}\n"
	for _, row := range []struct {
		line string
		get  func(*config.Config) any
		want any
	}{
		{"max_request_size: 1", func(c *config.Config) any { return c.MaxRequestSize }, int64(1)},
		{"max_request_size: 100B", func(c *config.Config) any { return c.MaxRequestSize }, int64(100)},
		{"max_request_size: 2KB", func(c *config.Config) any { return c.MaxRequestSize }, int64(2000)},
		{"max_request_size: 2KiB", func(c *config.Config) any { return c.MaxRequestSize }, int64(2048)},
		{"max_request_size: 3MB", func(c *config.Config) any { return c.MaxRequestSize }, int64(3e6)},
		{"max_request_size: 3MiB", func(c *config.Config) any { return c.MaxRequestSize }, int64(3 << 20)},
		{"max_request_size: 10GB", func(c *config.Config) any { return c.MaxRequestSize }, int64(1e10)},
		{"max_request_size: 10gib", func(c *config.Config) any { return c.MaxRequestSize }, int64(10 << 30)},
		{"settle: 1h2m3.5s", func(c *config.Config) any { return c.Settle }, time.Hour + 2*time.Minute + 3500*time.Millisecond},
		{"listen: ''", func(c *config.Config) any { return c.Listen }, ""},
		{"insecure_public: false", func(c *config.Config) any { return c.InsecurePublic }, false},
	} {
		t.Run(row.line, func(t *testing.T) {
			if got := row.get(load(t, write(t, row.line+types))); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestUmask(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "22": 0o22, "022": 0o22, "0o77": 0o77, `"0027"`: 0o27, "777": 0o777} {
		c := load(t, write(t, "types: {a: {command: [echo], umask: "+text+"}}\n"))
		if got := c.Catalog.Types["a"].Umask; got != want {
			t.Errorf("umask: %s is %#o, want %#o", text, got, want)
		}
	}
}

// The whole argument must match, also where the pattern has alternatives.
func TestPatternIsAnchored(t *testing.T) {
	c := load(t, write(t, "types: {a: {command: [echo], args: {pattern: 'a|bc'}}}\n"))
	pattern := c.Catalog.Types["a"].Args.Pattern
	for text, want := range map[string]bool{"a": true, "bc": true, "ac": false, "xa": false, "bcx": false, "a\n": false, "": false} {
		if got := pattern.MatchString(text); got != want {
			t.Errorf("%q matches: got %t, want %t", text, got, want)
		}
	}
}

func TestLoadMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobrunner.yaml")
	got := faults(t, path)
	for _, want := range []string{path + ": there is no such file", "--config", "types: {"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
	// What the hint shows must work.
	_, example, _ := strings.Cut(got, "at least: ")
	load(t, write(t, example))
}

func TestLoadFolder(t *testing.T) {
	path := t.TempDir()
	if got, want := faults(t, path), path+": is a folder; name the file in it with --config FILE\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAbsolutePathsStay(t *testing.T) {
	dir := t.TempDir()
	in, scripts, work := filepath.Join(dir, "in"), filepath.Join(dir, "scripts"), filepath.Join(dir, "work")
	c := load(t, write(t, "inbox: '"+in+"/'\ntypes: {a: {interpreter: [python3], scripts: '"+scripts+"', workdir: '"+work+"/x/..'}}\n"))
	a := c.Catalog.Types["a"]
	if c.Inbox != in || a.Scripts != scripts || a.Workdir != work {
		t.Errorf("got %q, %q, %q, want %q, %q, %q", c.Inbox, a.Scripts, a.Workdir, in, scripts, work)
	}
}

func TestLoadTooLarge(t *testing.T) {
	path := write(t, strings.Repeat("#\n", 1<<19)+"types: {a: {command: [echo]}}\n")
	if got, want := faults(t, path), "jobrunner.yaml:1:1: is larger than 1 MiB; is it the right file?\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The worst that fits is refused in time; the keys are not compared one with
// each other.
func TestLoadManyKeys(t *testing.T) {
	var b strings.Builder
	for i := 0; b.Len() < 1<<20-200; i++ {
		b.WriteString("k" + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + ": 1\n")
	}
	start := time.Now()
	faults(t, write(t, b.String()))
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestFoldersThroughLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Skip("no links here:", err)
	}
	for _, row := range []struct{ inbox, outbox, want string }{
		{"real", "link", "inbox: is the same path as outbox"},
		{"real", "link/new/out", "lies in it"},
		{"link/in", "real", "inbox: lies in outbox"},
	} {
		path := filepath.Join(dir, "jobrunner.yaml")
		content := "inbox: " + row.inbox + "\noutbox: " + row.outbox + "\ntypes: {a: {command: [echo]}}\n"
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := faults(t, path)
		if !strings.HasPrefix(got, "jobrunner.yaml:1:1: ") || !strings.Contains(got, row.want) {
			t.Errorf("inbox %s, outbox %s: got %q, want %q in it", row.inbox, row.outbox, got, row.want)
		}
	}
}

func TestFixedChanged(t *testing.T) {
	const types = "types: {a: {command: [echo]}}\n"
	dir := t.TempDir()
	version := func(content string) *config.Config {
		path := filepath.Join(dir, "jobrunner.yaml")
		if err := os.WriteFile(path, []byte(content+types), 0o600); err != nil {
			t.Fatal(err)
		}
		return load(t, path)
	}
	first := version("")
	if got := first.FixedChanged(version("max_concurrent: 9\ninbox: ./inbox/\n")); len(got) != 0 {
		t.Errorf("got %q, want none", got)
	}
	got := first.FixedChanged(version("inbox: i\noutbox: o\nqueue_file: q\nstate_dir: s\nlisten: ''\n"))
	if want := []string{"inbox", "outbox", "queue_file", "state_dir", "listen"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
