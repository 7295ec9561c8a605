package progress

// Tools whose lines may end at the percent sign.
var (
	rich = expect("rich", "━", `^(?P<label>.*?)\s*[━╸╺]{3,}\s+(?P<percent>\d{1,3})%(?:.*?\s(?P<eta>\d+:\d\d:\d\d))?`)
	pv   = expect("pv", "/s] [", `^(?:(?P<label>[^:]+): )?\s*[\d.]+\s?[A-Za-z]*B?\s+\d+:\d\d:\d\d\s+\[[^\]]*/s\]\s+\[[=> ]*\]\s+(?P<percent>\d{1,3})%(?:\s+ETA\s+(?P<eta>\S+))?`)
)

// percentTools are tools that write lines with a percent sign, by the byte that
// stands behind that; 0 is the end of the line. What each looks like was taken
// from what it wrote: see testdata/README.md.
var percentTools = [256][]tool{
	'|': {
		// Also Lightning, Hugging Face, Ultralytics, enlighten.
		expect("tqdm", "%|", `^(?:(?P<label>.*?):?\s+)?(?P<percent>\d{1,3})%\|[^|]*\|\s*(?P<done>[\d.]+[kKMGTPEZY]?)/(?P<total>[\d.]+[kKMGTPEZY]?)\S*\s+\[-?[\d:]+(?:<(?P<eta>[\d:]+|\?))?`),
	},
	' ': {
		rich,
		expect("git", "% (", `^(?:remote: )?(?P<label>[A-Z][A-Za-z ]+):\s+(?P<percent>\d{1,3})% \((?P<done>\d+)/(?P<total>\d+)\)`),
		pv,
		expect("wget", "K ", `^\d+K[ .,]+\s(?P<percent>\d{1,3})%\s+[\d.]+[KMGT]?(?:\s+(?P<eta>\S+)|=\S+)?$`),
		expect("rsync", "B/s ", `^[\d,.]+[KMGTP]?\s+(?P<percent>\d{1,3})%\s+[\d.,]+[kKMGT]?B/s\s+(?P<eta>\d+:\d\d:\d\d)(?:\s+\(xfr#\d+, (?:to|ir)-chk=(?P<left>\d+)/(?P<total>\d+)\))?$`).judged(judgeRsync),
		expect("yt-dlp", "[download]", `^\[download\]\s+(?P<percent>[\d.]+)% of (?:.*? ETA (?P<eta>\S+))?`),
	},
	'[': {
		expect("wget", "%[", `^(?P<label>\S.*?)\s+(?P<percent>\d{1,3})%\[[=>+ ]*\].*?(?:\s+eta\s+(?P<eta>\S.*))?$`),
	},
	']': {
		expect("cmake", "%] ", `^\[\s*(?P<percent>\d{1,3})%\] (?P<label>\S.*)$`).steps(),
		expect("pytest", "%]", `^(?P<label>\S+\.py)(?:\s|::).*\s\[\s*(?P<percent>\d{1,3})%\]$`).steps(),
	},
	')': {
		expect("snakemake", " steps (", `^(?P<done>\d+) of (?P<total>\d+) steps \((?P<percent>\d+)%\) done$`),
		expect("aria2", "[#", `^\[#[0-9a-f]{6} [^/]+/[^(]+\((?P<percent>\d{1,3})%\)(?:.* ETA:(?P<eta>[^\]\s]+))?`),
		// The examples of PyTorch.
		expect("torch", "%)]", `(?i)(?P<label>[A-Z ]*\bepoch:?\s+\d+)\s+\[(?P<done>\d+)/(?P<total>\d+)\s+\((?P<percent>\d{1,3})%\)\]`),
	},
	',': {
		expect("rclone", ", ETA ", `Transferred:\s+[\d.]+ ?\S* / [\d.]+ ?\S*, (?P<percent>\d{1,3})%, .*?, ETA (?P<eta>\S+)`),
	},
	0: {
		rich,
		pv,
	},
}

// boxTools draw with the characters of boxes.
var boxTools = []tool{
	// Lightning.
	expect("rich", "━", `^(?P<label>.*?)\s*[━╸╺]{3,}\s+(?P<done>\d+)/(?P<total>\d+)\s+\d+:\d\d:\d\d • (?P<eta>[\d:-]+)`),
}

// numberTools write lines that begin with a digit.
var numberTools = []tool{
	expect("keras", " ", `^(?P<done>\d+)/(?P<total>\d+)\s+(?:\[[=>.]+\]|━+|-\s\d+s\b)(?:.*?\s(?:ETA:\s*)?(?P<eta>(?:\d+:)+\d\d|\d+s)\s)?`).begins(withRatio).judged(judgeKeras),
	expect("curl", ":", `^(?P<percent>\d{1,3})\s+[\d.]*[1-9][\d.]*[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?\s+\d{1,3}\s+[\d.]+[kMGTP]?\s+\S+\s+\S+\s+[\d:-]+\s+[\d:-]+\s+(?P<eta>[\d:-]+)\s+\S+$`).begins(withNumber),
}

// bracketTools write lines that begin with a bracket.
var bracketTools = []tool{
	expect("ninja", "[", `^\[(?P<done>\d+)/(?P<total>\d+)\] (?P<label>\S.*)$`).steps().doubted(),
	expect("joblib", "[Parallel(", `^\[Parallel\(.*\]: Done\s+(?P<done>\d+) out of\s+(?P<total>\d+) \| elapsed:\s*\S+(?:\s*remaining:\s*(?P<eta>[\d.]+\s?\w+)|\s*(?P<label>finished))`).judged(judgeJoblib),
}

// rateTools write lines that end with a bracket, in which stands how fast it goes.
var rateTools = []tool{
	expect("tqdm", " [", `^(?:(?P<label>.*?): )?(?P<done>[\d.]+[kKMGTPEZY]?[A-Za-z]+) \[[\d:]+, [^\]]*(?:/s|s/)[^\]]*\]$`),
}

// buildTools write lines that begin with what they do.
var buildTools = []tool{
	expect("cargo", "] ", `^Building \[[=> ]*\] (?P<done>\d+)/(?P<total>\d+)(?:: (?P<label>.*))?`).steps(),
}
