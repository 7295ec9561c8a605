package access

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// lookEach is how often it is looked whether files have changed, while somebody
// asks.
const lookEach = time.Second

// kept is what was read from files, for as long as they do not change. Of files that
// went bad what was read before stays, with a word in the log.
type kept[T any] struct {
	what string // the key that names them
	log  zerolog.Logger
	read func(paths []string) (T, error)

	mu     sync.Mutex // guards what follows
	paths  []string   // nil: nothing was looked at yet
	looked time.Time
	stamps []stamp
	value  T
	good   bool   // value was read from these paths
	wrong  string // why value is not what the files hold now; "" if it is
}

// stamp tells whether a file was changed.
type stamp struct {
	size int64
	time time.Time
	info os.FileInfo // nil if it is not there
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime(), info}
}

func (s stamp) same(other stamp) bool {
	if s.info == nil || other.info == nil {
		return s.info == other.info
	}
	return s.size == other.size && s.time.Equal(other.time) && os.SameFile(s.info, other.info)
}

// get gives what the files hold, or held last when they could be read; false if they
// never could.
func (k *kept[T]) get(paths ...string) (T, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	moved := !slices.Equal(paths, k.paths)
	if !moved && now.Sub(k.looked) < lookEach && !now.Before(k.looked) {
		return k.value, k.good
	}
	if moved {
		var none T
		k.paths, k.value, k.good, k.wrong = slices.Clone(paths), none, false, ""
	}
	k.looked = now
	stamps := make([]stamp, len(paths))
	for i, path := range paths {
		stamps[i] = stampOf(path)
	}
	if !moved && k.wrong == "" && slices.EqualFunc(stamps, k.stamps, stamp.same) {
		return k.value, k.good
	}
	k.stamps = stamps
	k.take(moved)
	return k.value, k.good
}

// take reads the files. The caller holds mu.
func (k *kept[T]) take(first bool) {
	value, err := k.read(k.paths)
	names := make([]string, len(k.paths))
	for i, path := range k.paths {
		names[i] = filepath.Base(path)
	}
	switch {
	case err == nil:
		if !first {
			k.log.Info().Strs("files", names).Msg(k.what + " read again")
		}
		k.value, k.good, k.wrong = value, true, ""
	case err.Error() != k.wrong:
		k.wrong = err.Error()
		k.log.Error().Err(err).Bool("before_stays", k.good).Msg(k.what + " is of no use")
	}
}

// problem says what is wrong with the files as they were last looked at; "" if
// nothing is.
func (k *kept[T]) problem() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wrong == "" {
		return ""
	}
	words := "nobody is let in"
	if k.good {
		words = "what it held before stays in force"
	}
	return fmt.Sprintf("%s: %s; %s", k.what, strings.TrimSuffix(k.wrong, "."), words)
}
