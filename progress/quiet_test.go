package progress_test

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// none of these lines tells how far something is, though each looks a bit like it.
var decoys = []string{
	"accuracy: 45%",
	"The disk is 91% full",
	"/dev/sda1  50G   45G  5.0G  91% /",
	"loss 3/10 of the baseline",
	"val_loss 0.312 acc 98%",
	"2026/10/12 10:12:13 listening on :8080",
	"10/12: backup taken",
	"[10/12] nightly backup taken",
	"[1/1] Linking C executable p",
	"GET /files/a%20b%20c.txt 200",
	"https://example.org/?q=100%25&x=50%",
	"I am 100% sure",
	"50% off until Friday",
	"CPU usage 75%, memory 43%",
	"Tests: 5/10 passed",
	"FAILED test_a.py::test_b - assert 3/10 == 0.3",
	"3 of 10 tests failed",
	"3 out of 10 dentists",
	"HTTP/1.1 200 OK",
	"version 1/2 of the protocol",
	"mounted /dev/mapper/vg-1/2 on /",
	"ratio 16/9, scale 1/2",
	"src/main.c:10:12: warning: unused variable",
	"progress was made on 3 fronts",
	"Progress, not perfection",
	"epochs are 10",
	"the epoch 1970/01/01 began on a Thursday",
	"step 3 of the plan",
	"file 12/10 does not exist",
	"Retrying (1/3) after connection broken",
	"Total                    120     12    90%",
	"src/app.py               120     12    90%   3-5, 17",
	"Traceback (most recent call last):",
	`  File "train.py", line 45, in <module>`,
	"RuntimeError: CUDA out of memory: 91% of 7.79 GiB in use",
	"i16 v,h,dc,p: 71% 19%  5%  5%",
	"-rw-r--r-- 1 ada ada 45 Nov 28 10:12 10%",
	`{"level":"info","msg":"cache at 45%"}`,
	`{"progressDetail":{"current":1,"total":2}}`,
	"@progressive house",
	"email@progress.example 5/10",
	"#progress 50%",
	"| metric | value |",
	"| recall | 45% |",
	"----- 45 passed in 3.2s -----",
	"Downloading torch-2.3.0.whl (779.1 MB)",
	"Duration: 00:00:20.00, start: 0.000000, bitrate: 2102 kb/s",
	"frame=  100 fps= 25 q=28.0 size=     512kB time=00:00:04.00 bitrate=1048.6kbits/s speed=1x",
	"(Reading database ... 45%",
	"150%",
	"50%%",
	"printf(\"%d%%\\n\", 45);",
	"the time is 12:03, 45 minutes left",
	"rollout 10% canary, 90% stable",
	"12/12/2026 12/24 24/7",
	"Kernel panic 1/0",
	"page 3",
	"0/0 files",
}

// What only looks like progress is none; each line by itself, twice in a row,
// and all together.
func TestDecoys(t *testing.T) {
	all := progress.New(jobs.ProgressRule{}, start)
	for i, line := range decoys {
		if strings.HasPrefix(line, "frame=") || strings.HasPrefix(line, "Duration:") {
			continue // together they are ffmpeg's
		}
		one := progress.New(jobs.ProgressRule{}, start)
		one.Write([]byte(line+"\n"+line+"\r\n"), start)
		if p := one.Progress(after(time.Minute)); p != nil {
			t.Errorf("%q: got %s", line, show(p))
		}
		all.Write([]byte(line+"\n"), after(time.Duration(i)*time.Second))
	}
	if p := all.Progress(after(time.Hour)); p != nil {
		t.Errorf("together: got %s", show(p))
	}
}

// Whole logs of programs that show no progress.
func TestQuiet(t *testing.T) {
	files, err := filepath.Glob("testdata/quiet/*.log")
	if err != nil || len(files) < 3 {
		t.Fatalf("found %q, %v", files, err)
	}
	lines := 0
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d := progress.New(jobs.ProgressRule{}, start)
		for scanner := bufio.NewScanner(bytes.NewReader(data)); scanner.Scan(); lines++ {
			at := after(time.Duration(lines) * time.Second)
			d.Write(append(scanner.Bytes(), '\n'), at)
			if p := d.Progress(at); p != nil {
				t.Fatalf("%s: %q: got %s", path, scanner.Text(), show(p))
			}
		}
	}
	if lines < 400 {
		t.Errorf("only %d lines", lines)
	}
}
