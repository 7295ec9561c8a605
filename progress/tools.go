package progress

import (
	"bytes"
	"regexp"
)

// tool is what is known of how a tool writes its progress. The pattern's groups
// are those of a type's pattern.
type tool struct {
	name   string
	sign   string // what each such line holds
	redraw bool   // it counts only in a line that was drawn over itself
	bytes  bool   // done and total are bytes, which are not shown
	re     *regexp.Regexp
	groups groups
}

func known(name, sign, pattern string) tool {
	re := regexp.MustCompile(pattern)
	return tool{name: name, sign: sign, re: re, groups: groupsOf(re)}
}

var percentTools = []tool{
	known("tqdm", "%|", `^(?:(?P<label>.*?):?\s+)?(?P<percent>\d{1,3})%\|[^|]*\|\s*(?P<done>[\d.]+[kKMGTPEZY]?)/(?P<total>[\d.]+[kKMGTPEZY]?)\S*\s+\[-?[\d:]+(?:<(?P<eta>[\d:]+|\?))?`),
	known("rich", "━", `^(?P<label>.*?)\s*[━╸╺]{3,}\s+(?P<percent>\d{1,3})%(?:.*?\s(?P<eta>\d+:\d\d:\d\d))?`),
	known("git", "% (", `^(?:remote: )?(?P<label>[A-Z][A-Za-z ]+):\s+(?P<percent>\d{1,3})% \((?P<done>\d+)/(?P<total>\d+)\)`),
}

// toolState is what some tools' lines mean by what came before.
type toolState struct{}

// find looks for a bar in a line.
func (s *toolState) find(text []byte, redraw bool) (finding, bool) {
	if bytes.IndexByte(text, '%') < 0 {
		return finding{}, false
	}
	for i := range percentTools {
		t := &percentTools[i]
		if t.redraw && !redraw || !bytes.Contains(text, []byte(t.sign)) {
			continue
		}
		if parts := t.re.FindSubmatch(text); parts != nil {
			return t.finding(&match{t.groups, parts}), true
		}
	}
	return finding{}, false
}

// finding makes of a match what is known of the bar.
func (t *tool) finding(m *match) finding {
	f := finding{label: tidy(string(trim(m.part(m.label))))}
	f.source = t.name
	f.left = m.eta()
	f.fraction = share(m.number(m.percent), 100)
	f.text = f.label
	done, total := m.part(m.done), m.part(m.total)
	if len(done) == 0 || len(total) == 0 {
		return f
	}
	f.total = string(total)
	if exact := share(number(done), number(total)); exact >= 0 {
		f.fraction = exact
	}
	if !t.bytes {
		f.text = tidy(f.label + " " + string(done) + "/" + f.total)
	}
	return f
}
