package progress

import (
	"bytes"
	"fmt"
	"regexp"
)

// tool is how a tool's lines look. The groups of its pattern are named as those
// of a type's pattern.
type tool struct {
	name string
	sign string // what every such line holds: the pattern is tried only then
	pattern
	step  bool                               // the label is what is done just now, and changes from line to line
	weak  bool                               // other lines look like that, too: it counts once it has grown
	judge func(*scan, *match, *finding) bool // looks closer; false: it is none. nil: as the pattern says
}

func expect(name, sign, expression string) tool {
	return tool{name: name, sign: sign, pattern: newPattern(regexp.MustCompile(expression))}
}

func (t tool) steps() tool { t.step = true; return t }

func (t tool) doubted() tool { t.weak = true; return t }

func (t tool) judged(by func(*scan, *match, *finding) bool) tool { t.judge = by; return t }

// percentTools write lines with a percent sign. What each looks like was taken
// from what it wrote; see testdata/README.md.
var percentTools = []tool{
	// Also Lightning, Hugging Face, Ultralytics, enlighten.
	expect("tqdm", "%|", `^(?:(?P<label>.*?):?\s+)?(?P<percent>\d{1,3})%\|[^|]*\|\s*(?P<done>[\d.]+[kKMGTPEZY]?)/(?P<total>[\d.]+[kKMGTPEZY]?)\S*\s+\[-?[\d:]+(?:<(?P<eta>[\d:]+|\?))?`),
	expect("rich", "━", `^(?P<label>.*?)\s*[━╸╺]{3,}\s+(?P<percent>\d{1,3})%(?:.*?\s(?P<eta>\d+:\d\d:\d\d))?`),
	expect("git", "% (", `^(?:remote: )?(?P<label>[A-Z][A-Za-z ]+):\s+(?P<percent>\d{1,3})% \((?P<done>\d+)/(?P<total>\d+)\)`),
	expect("pv", "/s] [", `^(?:(?P<label>[^:]+): )?\s*[\d.]+\s?[A-Za-z]*B?\s+\d+:\d\d:\d\d\s+\[[^\]]*/s\]\s+\[[=> ]*\]\s+(?P<percent>\d{1,3})%(?:\s+ETA\s+(?P<eta>\S+))?`),
	expect("wget", "%[", `^(?P<label>\S.*?)\s+(?P<percent>\d{1,3})%\[[=>+ ]*\].*?(?:\s+eta\s+(?P<eta>\S.*))?$`),
	expect("wget", "K ", `^\d+K[ .,]+\s(?P<percent>\d{1,3})%\s+[\d.]+[KMGT]?(?:\s+(?P<eta>\S+)|=\S+)?$`),
	expect("rsync", "B/s ", `^[\d,.]+[KMGTP]?\s+(?P<percent>\d{1,3})%\s+[\d.,]+[kKMGT]?B/s\s+(?P<eta>\d+:\d\d:\d\d)(?:\s+\(xfr#\d+, (?:to|ir)-chk=(?P<left>\d+)/(?P<total>\d+)\))?$`).judged(judgeRsync),
	expect("cmake", "%] ", `^\[\s*(?P<percent>\d{1,3})%\] (?P<label>\S.*)$`).steps(),
	expect("pytest", "%]", `^(?P<label>\S+\.py)(?:\s|::).*\s\[\s*(?P<percent>\d{1,3})%\]$`).steps(),
	expect("snakemake", " steps (", `^(?P<done>\d+) of (?P<total>\d+) steps \((?P<percent>\d+)%\) done$`),
	expect("yt-dlp", "[download]", `^\[download\]\s+(?P<percent>[\d.]+)% of (?:.*? ETA (?P<eta>\S+))?`),
	expect("rclone", ", ETA ", `Transferred:\s+[\d.]+ ?\S* / [\d.]+ ?\S*, (?P<percent>\d{1,3})%, .*?, ETA (?P<eta>\S+)`),
	expect("aria2", "[#", `^\[#[0-9a-f]{6} [^/]+/[^(]+\((?P<percent>\d{1,3})%\)(?:.* ETA:(?P<eta>[^\]\s]+))?`),
	// The examples of PyTorch.
	expect("torch", "%)]", `(?i)(?P<label>[A-Z ]*\bepoch:?\s+\d+)\s+\[(?P<done>\d+)/(?P<total>\d+)\s+\((?P<percent>\d{1,3})%\)\]`),
}

// otherTools write lines without a percent sign.
var otherTools = []tool{
	expect("keras", " ", `^(?P<done>\d+)/(?P<total>\d+)\s+(?:\[[=>.]+\]|━+|-\s\d+s\b)(?:.*?\s(?:ETA:\s*)?(?P<eta>(?:\d+:)+\d\d|\d+s)\s)?`).judged(judgeKeras),
	expect("rich", "━", `^(?P<label>.*?)\s*[━╸╺]{3,}\s+(?P<done>\d+)/(?P<total>\d+)\s+\d+:\d\d:\d\d • (?P<eta>[\d:-]+)`), // Lightning's
	expect("curl", ":", `^(?P<percent>\d{1,3})\s+[\d.]*[1-9][\d.]*[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?\s+\S+\s+\S+\s+[\d:-]+\s+[\d:-]+\s+(?P<eta>[\d:-]+)\s+\S+$`),
	expect("ninja", "[", `^\[(?P<done>\d+)/(?P<total>\d+)\] (?P<label>\S.*)$`).steps().doubted(),
	expect("joblib", "[Parallel(", `^\[Parallel\(.*\]: Done\s+(?P<done>\d+) out of\s+(?P<total>\d+) \| elapsed:\s*\S+(?:\s*remaining:\s*(?P<eta>[\d.]+\s?\w+)|\s*(?P<label>finished))`).judged(judgeJoblib),
	expect("tqdm", "/", `^(?:(?P<label>.*?): )?(?P<done>[\d.]+[kKMGTPEZY]?[A-Za-z]+) \[[\d:]+, [^\]]*(?:/s|s/)[^\]]*\]`),
	expect("cargo", "] ", `^Building \[[=> ]*\] (?P<done>\d+)/(?P<total>\d+)(?:: (?P<label>.*))?`).steps(),
}

// tools looks for what a known tool writes. Of a part of a line no label at its
// end is taken.
func (s *scan) tools(known []tool, text []byte, part bool) (finding, bool) {
	for i := range known {
		t := &known[i]
		if part && t.step || !bytes.Contains(text, []byte(t.sign)) {
			continue
		}
		m, ok := t.match(text)
		if !ok {
			continue
		}
		if f := t.finding(&m); t.judge == nil || t.judge(s, &m, &f) {
			return f, true
		}
	}
	return finding{}, false
}

// finding makes of a match what is known of a bar.
func (t *tool) finding(m *match) finding {
	f := finding{weak: t.weak}
	f.source = t.name
	f.left = m.eta()
	f.fraction = share(m.number(percentGroup), 100)
	label := tidy(bytes.TrimRight(m.part(labelGroup), ": "))
	if !t.step {
		f.label = label
	}
	f.text = label
	done, total := m.part(doneGroup), m.part(totalGroup)
	if done == nil || total == nil {
		f.text = tidy([]byte(label + " " + string(done)))
		return f
	}
	if exact := share(number(done), number(total)); exact >= 0 {
		f.fraction = exact
	}
	f.total = string(total)
	f.counts = string(done) + "/" + f.total
	if t.step {
		f.moves = true
		f.text = tidy([]byte(f.counts + " " + label))
		return f
	}
	f.text = tidy([]byte(label + " " + f.counts))
	return f
}

// judgeKeras leaves out the time behind a full bar: that is how long it took.
func judgeKeras(_ *scan, _ *match, f *finding) bool {
	if f.fraction >= 1 {
		f.left = none
	}
	return true
}

// judgeJoblib leaves out lines in which as many are done as were handed out so
// far. That is no end, as long as it does not say so.
func judgeJoblib(_ *scan, m *match, f *finding) bool {
	f.label, f.text = "", string(m.part(doneGroup))+"/"+f.total
	return f.fraction < 1 || m.part(labelGroup) != nil
}

// rsync counts in two ways. With --progress it counts to 100 for each file, and
// says then how many files are left to be checked; with --info=progress2 it
// counts once.
type rsync struct {
	each        bool // it counts for each file
	done, total float64
}

func judgeRsync(s *scan, m *match, f *finding) bool {
	r := &s.rsync
	left, total := m.number(leftGroup), m.number(totalGroup)
	f.total, f.text = "", ""
	if left >= 0 && total > 0 {
		r.each = f.fraction == 1 && (left > 0 || r.each)
		r.done, r.total = total-left, total
		f.left = none // what stands there then is how long it took
		if r.each {
			f.fraction = share(r.done, r.total)
		}
	} else if r.each {
		f.fraction = share(r.done+f.fraction, r.total)
		f.left = none
	}
	if r.each {
		f.text = fmt.Sprintf("%.0f/%.0f files", r.done, r.total)
	}
	return true
}
