package jobs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// paramCatalog has types with parameters of each kind.
func paramCatalog(t testing.TB) *jobs.Catalog {
	c := testCatalog(t)
	for _, name := range []string{"data/a.csv", "data/deep/b.csv", "secret.csv"} {
		writeFile(t, filepath.Join(c.Dir, name))
	}
	low, high := 0.0, 1.5
	one := func(p jobs.Param) jobs.Param { p.Default, p.HasDefault = "1", true; return p }
	params := []jobs.Param{
		one(jobs.Param{Name: "lr", Kind: jobs.ParamFloat, Min: &low, Max: &high}),
		one(jobs.Param{Name: "epochs", Kind: jobs.ParamInt, Min: &low}),
		one(jobs.Param{Name: "most", Kind: jobs.ParamInt, Max: &high}),
		one(jobs.Param{Name: "any", Kind: jobs.ParamFloat}),
		{Name: "model", Kind: jobs.ParamEnum, Values: []string{"a", "b c"}, Default: "b c", HasDefault: true},
		{Name: "data", Kind: jobs.ParamPath, Below: filepath.Join(c.Dir, "data"), Default: "a.csv", HasDefault: true},
		{Name: "token", Kind: jobs.ParamSecret, Env: "API_TOKEN", Default: "none", HasDefault: true},
		{Name: "note", Kind: jobs.ParamText, Pattern: regexp.MustCompile(`^(?:[a-z ]*)$`), HasDefault: true},
		{Name: "free", Kind: jobs.ParamText, HasDefault: true},
	}
	c.Types["train"] = &jobs.Type{
		Name: "train", Command: []string{"train", "--model={model}", "{lr}:{epochs}:{lr}", "{other}"}, Workdir: c.Dir,
		Args: jobs.ArgRules{Max: -1}, Params: params, EnvAllow: []string{"SEED"},
	}
	c.Types["must"] = &jobs.Type{
		Name: "must", Interpreter: []string{"python3", "-W{lr}"}, Scripts: filepath.Join(c.Dir, "examples"), Extensions: []string{".py"},
		Workdir: c.Dir, Args: jobs.ArgRules{Max: -1}, Params: []jobs.Param{{Name: "lr", Kind: jobs.ParamFloat, Min: &low}, {Name: "key", Kind: jobs.ParamSecret}},
	}
	return c
}

func TestParams(t *testing.T) {
	c := paramCatalog(t)
	data := filepath.Join(c.Dir, "data")
	if real, err := filepath.EvalSymlinks(data); err == nil {
		data = real
	}
	defaults := map[string]string{
		"lr": "1", "epochs": "1", "most": "1", "any": "1", "model": "b c", "data": filepath.Join(data, "a.csv"), "note": "", "free": "",
	}
	for params, want := range map[string]map[string]string{
		"{}":                               {},
		"{lr: 0.10, epochs: 0}":            {"lr": "0.10", "epochs": "0"},
		"{lr: 1.5, any: -1e-3}":            {"lr": "1.5", "any": "-1e-3"},
		"{any: .5, most: -7}":              {"any": ".5", "most": "-7"},
		"{any: 5., epochs: +3}":            {"any": "5.", "epochs": "+3"},
		"{model: a, note: 'x y'}":          {"model": "a", "note": "x y"},
		"{data: deep/b.csv}":               {"data": filepath.Join(data, "deep", "b.csv")},
		"{data: ./deep/../a.csv}":          {},
		"{data: .}":                        {"data": data},
		"{data: '" + data + "/a.csv'}":     {},
		"{free: \"--x\\n{lr} $HOME 'q'\"}": {"free": "--x\n{lr} $HOME 'q'"},
	} {
		j, f := c.Resolve(jobs.ParseYAML([]byte("{type: train, params: "+params+"}"), "a.yaml")[0].Request)
		if f != nil {
			t.Errorf("params %s: %v", params, f)
			continue
		}
		whole := maps.Clone(defaults)
		maps.Copy(whole, want)
		if !maps.Equal(j.Params, whole) || !maps.Equal(j.Env, map[string]string{"API_TOKEN": "none"}) {
			t.Errorf("params %s\n got %q, env %q\nwant %q", params, j.Params, j.Env, whole)
		}
	}
}

func TestParamsRefused(t *testing.T) {
	c := paramCatalog(t)
	data := filepath.Join(c.Dir, "data")
	for params, want := range map[string]string{
		"{lr: x}":                          `1:28: params.lr must be a number from 0 to 1.5, not "x"`,
		"{lr: 1.6}":                        `1:28: params.lr must be a number from 0 to 1.5, not "1.6"`,
		"{lr: -0.1}":                       `1:28: params.lr must be a number from 0 to 1.5, not "-0.1"`,
		"{any: nan}":                       `1:29: params.any must be a number, not "nan"`,
		"{any: .inf}":                      `1:29: params.any must be a number, not ".inf"`,
		"{any: Inf}":                       `1:29: params.any must be a number, not "Inf"`,
		"{any: 0x1p4}":                     `1:29: params.any must be a number, not "0x1p4"`,
		"{any: 1_000}":                     `1:29: params.any must be a number, not "1_000"`,
		"{any: 1e999}":                     `1:29: params.any must be a number, not "1e999"`,
		"{any: ''}":                        `1:29: params.any must be a number, not ""`,
		"{epochs: 1.0}":                    `1:32: params.epochs must be a whole number of at least 0, not "1.0"`,
		"{epochs: 010}":                    `1:32: params.epochs must be a whole number of at least 0, not "010"`,
		"{epochs: -1}":                     `1:32: params.epochs must be a whole number of at least 0, not "-1"`,
		"{most: 2}":                        `1:30: params.most must be a whole number of at most 1.5, not "2"`,
		"{epochs: 9999999999999999999999}": `1:32: params.epochs must be a whole number of at least 0, not "9999999999999999999999"`,
		"{model: c}":                       `1:31: params.model must be one of a, b c, not "c"`,
		"{model: A}":                       `1:31: params.model must be one of a, b c, not "A"`,
		"{note: X}":                        `1:30: params.note must be a text that matches [a-z ]*, not "X"`,
		"{note: \"x\\n\"}":                 `1:30: params.note must be a text that matches [a-z ]*, not "x\n"`,
		"{token: ''}":                      `1:31: params.token is empty`,
		"{data: gone.csv}":                 `1:30: params.data names nothing that is there: "gone.csv", below ` + data,
		"{data: a.csv/b}":                  `1:30: params.data names nothing that is there: "a.csv/b", below ` + data,
		"{data: ../secret.csv}":            `1:30: params.data must be a path below ` + data + `, not "../secret.csv"`,
		"{data: ''}":                       `1:30: params.data must be a path below ` + data + `, not ""`,
		"{data: /etc/passwd}":              `1:30: params.data must be a path below ` + data + `, not "/etc/passwd"`,
		"{lrr: 1}":                         `1:29: type "train" has no parameter "lrr"; did you mean "lr"?`,
		"{lr: 1, something: 1}":            `1:42: type "train" has no parameter "something"; known parameters: lr, epochs, most, any, model, data, token, note, free`,
	} {
		if got := resolved(t, c, "a.yaml", "{type: train, params: "+params+"}"); got != "a.yaml:"+want {
			t.Errorf("params %s\n got %s\nwant a.yaml:%s", params, got, want)
		}
	}
	for text, want := range map[string]string{
		"{type: none, params: {a: 1}}":                                                        `a.yaml:1:26: type "none" has no parameter "a"; it takes args alone`,
		"{type: must, script: deep/er.py}":                                                    `a.yaml:1:1: type "must" needs the parameter lr; write params: {lr: …}, a number of at least 0`,
		"{type: must, script: deep/er.py, params: {lr: 1}}":                                   `a.yaml:1:42: type "must" needs the parameter key; write params: {key: …}, a text that is kept secret`,
		"{type: must, script: deep/er.py, params: {lr: '{a}', key: s}, foreach: {a: [1, x]}}": `a.yaml:1:47: params.lr must be a number of at least 0, not "x"`,
	} {
		checkPlanned(t, c, "a.yaml", text, want)
	}
	if got, want := resolved(t, c, "a.txt", "must deep/er.py"), `a.txt:1: type "must" needs the parameter lr; write params: {lr: …}, a number of at least 0`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPathParamLinks(t *testing.T) {
	c := paramCatalog(t)
	linked(t, "deep", filepath.Join(c.Dir, "data", "latest"))
	linked(t, "..", filepath.Join(c.Dir, "data", "up"))
	linked(t, "../secret.csv", filepath.Join(c.Dir, "data", "leak.csv"))
	linked(t, "loop", filepath.Join(c.Dir, "data", "loop"))
	p := c.Types["train"].Params[5]
	want, err := filepath.EvalSymlinks(filepath.Join(c.Dir, "data", "deep", "b.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Check("latest/b.csv"); err != nil || got != want {
		t.Errorf("Check(latest/b.csv) = %q, %v; want %q", got, err, want)
	}
	for text, want := range map[string]string{
		"leak.csv": "is a link that leads out of", "up/secret.csv": "is a link that leads out of", "loop": "cannot be looked at",
	} {
		if got, err := p.Check(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%q) = %q, %v; want an error with %q", text, got, err, want)
		}
	}
}

func TestCommandLineOfParams(t *testing.T) {
	c := paramCatalog(t)
	train := c.Types["train"]
	j, f := c.Resolve(jobs.ParseYAML([]byte("{type: train, args: [x, '{lr}'], params: {lr: 0.10, note: a b, free: '{epochs}', token: hush}}"), "a.yaml")[0].Request)
	if f != nil {
		t.Fatal(f)
	}
	if got, want := train.Fill(train.Command, j), []string{"train", "--model=b c", "0.10:1:0.10", "{other}"}; !slices.Equal(got, want) {
		t.Errorf("Fill = %q, want %q", got, want)
	}
	if want := []string{"train", "--model={model}", "{lr}:{epochs}:{lr}", "{other}"}; !slices.Equal(train.Command, want) {
		t.Errorf("Fill has changed the type's words: %q", train.Command)
	}
	if got, want := train.Words(j), []string{"--most=1", "--any=1", "--data=" + j.Params["data"], "--note=a b", "--free={epochs}", "x", "{lr}"}; !slices.Equal(got, want) {
		t.Errorf("Words = %q, want %q", got, want)
	}
	if j.Env["API_TOKEN"] != "hush" || strings.Contains(fmt.Sprint(j.Params, train.Words(j)), "hush") {
		t.Errorf("the secret is in env %q, params %q", j.Env, j.Params)
	}

	// A job that was accepted before the type had parameters gets its defaults.
	bare := train.Words(&jobs.Job{})
	if want := []string{"--most=1", "--any=1", "--data=" + j.Params["data"], "--note=", "--free="}; !slices.Equal(bare, want) {
		t.Errorf("Words of a job without parameters = %q, want %q", bare, want)
	}

	must := c.Types["must"]
	j, f = c.Resolve(jobs.ParseYAML([]byte("{type: must, script: deep/er.py, args: [1], params: {lr: 2, key: k}}"), "a.yaml")[0].Request)
	if f != nil {
		t.Fatal(f)
	}
	if got, want := append(must.Fill(must.Interpreter, j), must.Words(j)...), []string{"python3", "-W2", "1"}; !slices.Equal(got, want) {
		t.Errorf("command line %q, want %q", got, want)
	}
	if !maps.Equal(j.Env, map[string]string{"KEY": "k"}) {
		t.Errorf("env %q", j.Env)
	}
}

// No option stands before the script that its type does not name.
func TestParamsBeforeTheScript(t *testing.T) {
	c := paramCatalog(t)
	typ := c.Types["must"]
	typ.Interpreter = []string{"python3", "{first}{second}", "-W{first}", "{level}"}
	typ.Params = []jobs.Param{{Name: "first", Kind: jobs.ParamText}, {Name: "second", Kind: jobs.ParamText}, {Name: "level", Kind: jobs.ParamInt}}
	for params, want := range map[string]string{
		"{first: once, second: -c, level: -1}":         "",
		"{first: '', second: '-cimport os', level: 1}": `a.yaml:1:44: params: "-cimport os" must not begin with -: it stands before the script`,
		"{first: '-', second: '', level: 1}":           `a.yaml:1:44: params: "-" must not begin with -: it stands before the script`,
	} {
		j, f := c.Resolve(jobs.ParseYAML([]byte("{type: must, script: countdown.py, params: "+params+"}"), "a.yaml")[0].Request)
		got := ""
		if f != nil {
			got = f.Error()
		} else if err := typ.CheckParams(j); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("params %s: got %q, want %q", params, got, want)
		}
	}
}

func TestSecretParamLeavesTheRequestAlone(t *testing.T) {
	c := paramCatalog(t)
	r := jobs.ParseYAML([]byte("{type: train, env: {SEED: 1}, params: {token: hush}}"), "a.yaml")[0].Request
	j, f := c.Resolve(r)
	if f != nil || !maps.Equal(j.Env, map[string]string{"SEED": "1", "API_TOKEN": "hush"}) || !maps.Equal(r.Env, map[string]string{"SEED": "1"}) {
		t.Errorf("job's env %q, request's %q, %v", j.Env, r.Env, f)
	}
}

func TestCheckParams(t *testing.T) {
	c := paramCatalog(t)
	train := c.Types["train"]
	j, f := c.Resolve(jobs.ParseYAML([]byte("{type: train, params: {data: deep/b.csv}}"), "a.yaml")[0].Request)
	if f != nil {
		t.Fatal(f)
	}
	if err := train.CheckParams(j); err != nil {
		t.Errorf("CheckParams = %v", err)
	}
	if err := train.CheckParams(&jobs.Job{}); err != nil {
		t.Errorf("CheckParams of a job without parameters = %v, want the defaults", err)
	}
	if err := c.Types["must"].CheckParams(&jobs.Job{}); err == nil || err.Error() != "parameter lr is not given" {
		t.Errorf("CheckParams = %v", err)
	}
	if err := os.RemoveAll(filepath.Join(c.Dir, "data", "deep")); err != nil {
		t.Fatal(err)
	}
	if err := train.CheckParams(j); err == nil || !strings.HasPrefix(err.Error(), "parameter data names nothing that is there: ") {
		t.Errorf("CheckParams of a file that is gone = %v", err)
	}
	linked(t, "..", filepath.Join(c.Dir, "data", "deep"))
	writeFile(t, filepath.Join(c.Dir, "b.csv"))
	if err := train.CheckParams(j); err == nil || !strings.HasPrefix(err.Error(), "parameter data is a link that leads out of ") {
		t.Errorf("CheckParams of a file that has moved out = %v", err)
	}
}
