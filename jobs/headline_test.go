package jobs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"jobrunner/jobs"
)

// However an output ends, each of its lines is looked at a few times at most.
func TestHeadlineTakesWorkInProportion(t *testing.T) {
	var b strings.Builder
	lines := 0
	for ; b.Len() < 64<<10; lines++ {
		fmt.Fprintf(&b, "(%d)Traceback (most recent call last)\n", lines)
	}
	tail := []byte(b.String())
	work := testing.AllocsPerRun(1, func() { jobs.Headline(tail) })
	if most := float64(20 * lines); work > most {
		t.Errorf("%d lines: %.0f allocations, want at most %.0f", lines, work, most)
	}
}

// The ends of outputs as tools write them.
var ends = []struct{ name, end, want string }{
	{"nothing", "", ""},
	{"empty lines", "\n \n\t\n", ""},
	{"rules only", "=====\n-----\n", ""},
	{"one line", "no such dataset: imagenet\n", "no such dataset: imagenet"},
	{"last line without its end", "loading\nno GPU found", "no GPU found"},
	{"a rule behind it", "no GPU found\n----------\n}\n", "no GPU found"},
	{"python", `Epoch 6/10
Traceback (most recent call last):
  File "/srv/ml/train.py", line 48, in <module>
    main()
  File "/srv/ml/train.py", line 12, in main
    loss = model(x)
RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB
`, "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB"},
	{"python, a name that ends otherwise", `Traceback (most recent call last):
  File "x.py", line 1, in <module>
    raise Boom("the fuse is wet")
acme.bombs.Boom: the fuse is wet
wandb: You can sync this run to the cloud by running:
wandb: wandb sync /srv/wandb/offline-run-1
`, "acme.bombs.Boom: the fuse is wet"},
	{"python, chained", `Traceback (most recent call last):
  File "x.py", line 2, in <module>
    open("/nowhere")
FileNotFoundError: [Errno 2] No such file or directory: '/nowhere'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "x.py", line 4, in <module>
    raise RuntimeError("no data") from e
RuntimeError: no data
`, "RuntimeError: no data"},
	{"python, during handling", `Traceback (most recent call last):
  File "x.py", line 2, in <module>
KeyError: 'lr'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "x.py", line 4, in <module>
SystemExit: learning rate missing
`, "SystemExit: learning rate missing"},
	{"python, interrupted", `^CTraceback (most recent call last):
  File "x.py", line 3, in <module>
    time.sleep(100)
KeyboardInterrupt
`, "KeyboardInterrupt"},
	{"python, syntax", `  File "/srv/x.py", line 3
    print("x"
         ^
SyntaxError: '(' was never closed
`, "SyntaxError: '(' was never closed"},
	{"python, a message of several lines", `Traceback (most recent call last):
  File "x.py", line 9, in <module>
    model.load_state_dict(state)
RuntimeError: Error(s) in loading state_dict for Net:
	Missing key(s) in state_dict: "fc.weight".
	Unexpected key(s) in state_dict: "head.weight".
`, `RuntimeError: Error(s) in loading state_dict for Net: Missing key(s) in state_dict: "fc.weight".`},
	{"python, several processes", `[rank0]: Traceback (most recent call last):
[rank0]:   File "/srv/train.py", line 9, in <module>
[rank0]:     loss.backward()
[rank0]: torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1691
E1127 10:02:11.123000 4711 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 0 (pid: 4712)
Traceback (most recent call last):
  File "/usr/bin/torchrun", line 8, in <module>
    sys.exit(main())
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
`, "torch.distributed.elastic.multiprocessing.errors.ChildFailedError:"},
	{"python, rich", `╭───────────────────── Traceback (most recent call last) ──────────────────────╮
│ /srv/x.py:3 in <module>                                                      │
│ ❱ 3 f(0)                                                                     │
╰──────────────────────────────────────────────────────────────────────────────╯
ZeroDivisionError: division by zero
`, "ZeroDivisionError: division by zero"},
	{"python, a group", `  + Exception Group Traceback (most recent call last):
  |   File "x.py", line 1, in <module>
  | ExceptionGroup: two of them (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: one
    +------------------------------------
`, "ExceptionGroup: two of them (2 sub-exceptions)"},
	{"a bar before the traceback", "\r  0%|          | 0/10 [00:00<?, ?it/s]\r 30%|███       | 3/10 [00:00<00:00, 9.99it/s]" + `Traceback (most recent call last):
  File "x.py", line 5, in <module>
    raise ValueError("bad sample 4")
ValueError: bad sample 4
`, "ValueError: bad sample 4"},
	{"a bar last", "starting\r\n\r 10%|█    | 1/10\r 20%|██   | 2/10\r", "20%|██   | 2/10"},
	{"argparse", "usage: train.py [-h] --lr LR\ntrain.py: error: the following arguments are required: --lr\n",
		"train.py: error: the following arguments are required: --lr"},
	{"click", "Usage: x [OPTIONS]\nTry 'x --help' for help.\n\nError: No such option: --foo\n", "Error: No such option: --foo"},
	{"logging", "2026-11-21 10:02:11,345 ERROR train: cannot read /data/a.h5\n2026-11-21 10:02:11,346 INFO train: closing\n",
		"2026-11-21 10:02:11,345 ERROR train: cannot read /data/a.h5"},
	{"logging, basic", "INFO:root:start\nERROR:root:cannot read /data/a.h5\nINFO:root:closing\n", "ERROR:root:cannot read /data/a.h5"},
	{"loguru", "2026-11-21 10:02:11.345 | ERROR    | __main__:main:3 - disk is full\n2026-11-21 10:02:11.346 | INFO     | __main__:main:4 - bye\n",
		"2026-11-21 10:02:11.345 | ERROR    | __main__:main:3 - disk is full"},
	{"logfmt", "time=\"2026-11-21T10:02:11Z\" level=error msg=\"no route\"\ntime=\"2026-11-21T10:02:11Z\" level=info msg=\"bye\"\n",
		`time="2026-11-21T10:02:11Z" level=error msg="no route"`},
	{"a figure that is called error", "error: 0.0123\nerror: 0.0120\nno more data\n", "no more data"},
	{"pytest", "E       assert 1 == 2\nFAILED test_x.py::test_a - AssertionError: assert 1 == 2\n========= 1 failed, 3 passed in 0.12s =========\n",
		"FAILED test_x.py::test_a - AssertionError: assert 1 == 2"},
	{"go panic", `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.main()
	/src/main.go:9 +0x1d
created by main.start in goroutine 1
	/src/main.go:4 +0x25
exit status 2
`, "panic: runtime error: index out of range [5] with length 3"},
	{"go, all asleep", "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/src/main.go:5 +0x1d\n",
		"fatal error: all goroutines are asleep - deadlock!"},
	{"rust", "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds: the len is 3 but the index is 99\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
		"thread 'main' panicked at src/main.rs:2:5: index out of bounds: the len is 3 but the index is 99"},
	{"cargo", "error[E0425]: cannot find value `y` in this scope\n --> src/main.rs:2:20\n  |\n\nerror: could not compile `x` (bin \"x\") due to 1 previous error\n",
		"error[E0425]: cannot find value `y` in this scope"},
	{"java", `Exception in thread "main" java.lang.IllegalStateException: cannot start
	at com.acme.Main.start(Main.java:12)
	at com.acme.Main.main(Main.java:5)
Caused by: java.io.FileNotFoundException: conf.xml (No such file or directory)
	at java.base/java.io.FileInputStream.open0(Native Method)
	... 2 more
`, "Caused by: java.io.FileNotFoundException: conf.xml (No such file or directory)"},
	{".net", "Unhandled exception. System.InvalidOperationException: Sequence contains no elements\n   at System.Linq.ThrowHelper.ThrowNoElementsException()\n   at Program.<Main>$(String[] args) in /src/Program.cs:line 3\n",
		"Unhandled exception. System.InvalidOperationException: Sequence contains no elements"},
	{"node", `/srv/x.js:3
    throw new TypeError("x is not a function");
    ^

TypeError: x is not a function
    at Object.<anonymous> (/srv/x.js:3:9)
    at Module._compile (node:internal/modules/cjs/loader:1376:14)

Node.js v20.11.0
`, "TypeError: x is not a function"},
	{"npm", "npm error Missing script: \"build\"\nnpm error\nnpm error A complete log of this run can be found in: /root/.npm/_logs/2026.log\n", `npm error Missing script: "build"`},
	{"c++", "terminate called after throwing an instance of 'std::runtime_error'\n  what():  file not found\nAborted (core dumped)\n",
		"terminate called after throwing an instance of 'std::runtime_error':  file not found"},
	{"assert", "a.out: main.c:5: main: Assertion `x == 1' failed.\nAborted\n", "a.out: main.c:5: main: Assertion `x == 1' failed."},
	{"address sanitizer", "==4711==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602\n    #0 0x4f in main x.c:3\n==4711==ABORTING\n",
		"==4711==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602"},
	{"gcc", "main.c: In function 'main':\nmain.c:3:5: error: expected ';' before 'return'\nmake: *** [Makefile:2: main.o] Error 1\n",
		"main.c:3:5: error: expected ';' before 'return'"},
	{"make", "cc -o x x.c\nmake: *** No rule to make target 'y.c', needed by 'x'.  Stop.\n", "make: *** No rule to make target 'y.c', needed by 'x'.  Stop."},
	{"sh", "sh: 1: ffmpeg: not found\n", "sh: 1: ffmpeg: not found"},
	{"bash", "step 1\n./run.sh: line 3: ffmpeg: command not found\n", "./run.sh: line 3: ffmpeg: command not found"},
	{"bash -e", "+ cp a b\ncp: cannot stat 'a': No such file or directory\n+ cleanup\n", "cp: cannot stat 'a': No such file or directory"},
	{"bash, crashed", "step 2\n./run.sh: line 4:  4711 Segmentation fault      (core dumped) ./solver\n",
		"./run.sh: line 4:  4711 Segmentation fault      (core dumped) ./solver"},
	{"bash, killed", "step 2\n./run.sh: line 4:  4711 Killed                  python train.py\n", "./run.sh: line 4:  4711 Killed                  python train.py"},
	{"cmd.exe", "'ffmpeg' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
		"'ffmpeg' is not recognized as an internal or external command,"},
	{"R", "Error in library(notthere) : there is no package called ‘notthere’\nCalls: f -> g\nExecution halted\n",
		"Error in library(notthere) : there is no package called ‘notthere’"},
	{"R, in two lines", "Error in read.table(file = file, header = header, sep = sep) : \n  no lines available in input\nCalls: read.csv -> read.table\nExecution halted\n",
		"Error in read.table(file = file, header = header, sep = sep) : no lines available in input"},
	{"MATLAB", "{\bError using load\nUnable to read file 'x.mat'. No such file or directory.\n\nError in train (line 3)\nd = load('x.mat');\n    ^^^^\n}\b\n",
		"Error using load: Unable to read file 'x.mat'. No such file or directory."},
	{"julia", "ERROR: LoadError: UndefVarError: `x` not defined\nStacktrace:\n [1] top-level scope\n   @ /srv/x.jl:1\n", "ERROR: LoadError: UndefVarError: `x` not defined"},
	{"ruby", "x.rb:1:in `foo': undefined method `bar' for nil (NoMethodError)\n\tfrom x.rb:3:in `<main>'\n", "x.rb:1:in `foo': undefined method `bar' for nil (NoMethodError)"},
	{"git", "fatal: not a git repository (or any of the parent directories): .git\n", "fatal: not a git repository (or any of the parent directories): .git"},
	{"docker", "docker: Error response from daemon: pull access denied for nothere, repository does not exist.\n\nRun 'docker run --help' for more information\n",
		"docker: Error response from daemon: pull access denied for nothere, repository does not exist."},
	{"slurm", "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\nMemoryError\nsrun: error: node01: task 0: Exited with exit code 1\n", "MemoryError"},
	{"disk full", "tar: x: Cannot write: No space left on device\ntar: Exiting with failure status due to previous errors\n", "tar: x: Cannot write: No space left on device"},
	{"colours", "\x1b[1m\x1b[31mERROR\x1b[0m: \x1b]8;;http://x\x07link\x1b]8;;\x07 is gone\x1b[K\n", "ERROR: link is gone"},
	{"drawn over", "50%\b\b\b60%\b\b\bERROR: no\n", "ERROR: no"},
	{"controls", "error: a\x00b\x07c \u202etxet\xff\n", "error: a?b?c ?txet?"},
}

func TestHeadline(t *testing.T) {
	for _, tt := range ends {
		if got := jobs.Headline([]byte(tt.end)); got != tt.want {
			t.Errorf("%s: Headline = %q, want %q", tt.name, got, tt.want)
		}
		long := "INFO all is well\n" + strings.Repeat("epoch 3 of 10, loss 0.1\n", 1000) + tt.end
		if got := jobs.Headline([]byte(long)); tt.want != "" && got != tt.want {
			t.Errorf("%s, behind other lines: Headline = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHeadlineIsCut(t *testing.T) {
	got := jobs.Headline([]byte("ValueError: " + strings.Repeat("ü", 5000) + "\n"))
	if n := utf8.RuneCountInString(got); n != 200 || !strings.HasPrefix(got, "ValueError: üü") || !strings.HasSuffix(got, "ü…") {
		t.Errorf("Headline of a long line has %d letters: %q", n, got)
	}
}

func TestOutputHeadline(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	j := &jobs.Job{ID: "8f3a12c4-0000-4000-8000-000000000000", Attempt: 1, State: jobs.Failed, Log: "logs/8f3a12c4-0000-4000-8000-000000000000.log"}
	if text, _, err := jobs.OutputHeadline(dir, j, 1); text != "" || err != nil {
		t.Errorf("without an output: %q, %v", text, err)
	}
	var b strings.Builder
	for n := range 100_000 {
		fmt.Fprintf(&b, "line %d\n", n)
	}
	at := int64(b.Len())
	b.WriteString("ValueError: bad\nbye\n")
	for text, want := range map[string]struct {
		text string
		at   int64
	}{
		"": {"", 0}, b.String(): {"ValueError: bad", at}, strings.Repeat("x", 200_000): {strings.Repeat("x", 199) + "…", 200_000 - 65536},
	} {
		if err := os.WriteFile(filepath.Join(dir, j.Log), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, at, err := jobs.OutputHeadline(dir, j, 1)
		if got != want.text || at != want.at || err != nil {
			t.Errorf("of %d bytes: %q at %d, %v; want %q at %d", len(text), got, at, err, want.text, want.at)
		}
	}
}

func FuzzHeadline(f *testing.F) {
	for _, tt := range ends {
		f.Add([]byte(tt.end))
	}
	f.Fuzz(func(t *testing.T, tail []byte) {
		got := jobs.Headline(tail)
		if got != jobs.Sanitize(got) || got != strings.TrimSpace(got) || utf8.RuneCountInString(got) > 200 {
			t.Errorf("Headline(%q) = %q", tail, got)
		}
	})
}

func BenchmarkHeadline(b *testing.B) {
	tail := []byte(strings.Repeat("2026-11-21 10:02:11,345 INFO train: epoch 3 of 10, val error 0.1, 3.2 s\n", 900))
	b.SetBytes(int64(len(tail)))
	for b.Loop() {
		jobs.Headline(tail)
	}
}
