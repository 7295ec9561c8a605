package runner

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// envProgress names the file in which an attempt may tell how far it has come.
const envProgress = "JOBRUNNER_PROGRESS_FILE"

// clearProgress makes way for that file. Where this cannot be done, as if
// somebody was quicker to take the place for another user's folder, the attempt
// is told of none.
func (s *spec) clearProgress(log zerolog.Logger) {
	umaskMu.RLock()
	defer umaskMu.RUnlock()
	err := jobs.MakeProgress(filepath.Dir(filepath.Dir(s.Log)), s.ID, s.Attempt, s.Account)
	if err != nil {
		log.Warn().Err(err).Str("job", s.ID).Int("attempt", s.Attempt).Msg("attempt has no progress file")
		s.forgetProgress()
	}
}

// forgetProgress leaves the attempt without a progress file.
func (s *spec) forgetProgress() {
	s.Env = slices.DeleteFunc(slices.Clone(s.Env), func(entry string) bool {
		return strings.HasPrefix(entry, envProgress+"=")
	})
}
