package progress

import (
	"bytes"
	"regexp"
	"strconv"
	"time"
)

// ffmpeg knows how long the input is that ffmpeg reads. It prints the length of
// each input, then again and again how far it is.
type ffmpeg struct {
	length  float64 // of the longest input, in seconds
	started bool    // it has said how far it is; the next length is another run's
}

var (
	ffmpegLength = regexp.MustCompile(`^Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)`)
	ffmpegTime   = regexp.MustCompile(`^(?:frame=|size=).*\btime=(\d+):(\d\d):(\d\d(?:\.\d+)?).*?\bspeed=\s*([\d.e+]+)x`)
	ffmpegField  = regexp.MustCompile(`^out_time=(\d+):(\d\d):(\d\d(?:\.\d+)?)$`)
)

// find reads a line of ffmpeg.
func (f *ffmpeg) find(text []byte) (finding, bool) {
	switch text[0] {
	case 'D':
		if m := ffmpegLength.FindSubmatch(text); m != nil {
			if f.started {
				*f = ffmpeg{}
			}
			f.length = max(f.length, seconds(m[1:4]))
		}
	case 'f', 's':
		if m := ffmpegTime.FindSubmatch(text); m != nil {
			speed, _ := strconv.ParseFloat(string(m[4]), 64)
			return f.at(seconds(m[1:4]), speed)
		}
	case 'o':
		if m := ffmpegField.FindSubmatch(text); m != nil {
			return f.at(seconds(m[1:4]), 0)
		}
	case 'v', '[':
		if bytes.Contains(text, []byte(" muxing overhead: ")) {
			return f.at(f.length, 0)
		}
	}
	return finding{}, false
}

func (f *ffmpeg) at(done, speed float64) (finding, bool) {
	if f.length == 0 {
		return finding{}, false
	}
	f.started = true
	found := finding{reading: reading{source: "ffmpeg", fraction: share(done, f.length), left: none}}
	if speed > 0 {
		left := max(f.length-done, 0) / speed
		found.left = time.Duration(min(left, maxLeft.Seconds()) * float64(time.Second))
	}
	return found, true
}

// seconds reads hours, minutes and seconds.
func seconds(parts [][]byte) float64 {
	var all float64
	for _, part := range parts {
		n, _ := strconv.ParseFloat(string(part), 64)
		all = all*60 + n
	}
	return all
}
