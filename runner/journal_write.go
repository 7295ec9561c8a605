package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

const (
	// syncDelay is how long an end may wait to be acknowledged before it is
	// synced to disk: with a daemon that commits it at once, it never is.
	syncDelay = 20 * time.Millisecond
	// mendDelay is how long it takes until a journal that the disk did not take
	// is tried again.
	mendDelay = time.Second
	// rewriteSize is how much the journal grows before it is written anew.
	rewriteSize = 1 << 20
	// smallJournal is what a supervisor may find at its start, or leave at its
	// end, without writing it anew.
	smallJournal = 64 << 10
)

// journal is the running supervisor's journal.
type journal struct {
	folder   *folder
	path     string
	instance string
	log      zerolog.Logger
	wake     chan struct{} // capacity 1: unsynced has something
	done     chan struct{} // closed by close
	flushed  chan struct{} // closed when the flusher has ended

	mu       sync.Mutex // guards what follows
	file     *os.File
	size     int64 // of whole records; what lies behind is a torn one
	base     int64 // size when it was last written anew
	torn     bool  // a record is torn, missing or not on disk: write anew before the next
	content  *journalContent
	unsynced map[key]struct{}            // ends that are not on disk
	earlier  map[attemptKey]attemptState // of supervisors before this one

	syncing sync.Mutex // held while file is synced or replaced; taken before mu
}

// openJournal takes over what earlier supervisors have left and begins the
// records of a new one.
func openJournal(own *folder, instance string, log zerolog.Logger) (*journal, error) {
	content, err := loadJournal(own.path)
	if err != nil {
		return nil, err
	}
	j := &journal{
		folder: own, path: filepath.Join(own.path, journalFile), instance: instance, log: log, content: content,
		wake: make(chan struct{}, 1), done: make(chan struct{}), flushed: make(chan struct{}),
		unsynced: make(map[key]struct{}), earlier: make(map[attemptKey]attemptState),
	}
	for k, e := range content.entries {
		j.earlier[attemptKey{k.ID, k.Attempt}] = e.State
	}
	if err := j.open(content.size); err != nil {
		return nil, fmt.Errorf("opening the supervisor's journal: %w", err)
	}
	if err := j.add(record{Kind: recordInstance, Instance: instance, Boot: bootID(), At: time.Now()}); err != nil {
		return nil, err
	}
	go j.flush()
	return j, nil
}

// open opens the file, cuts off what is torn at its end and, if it is not
// small, writes it anew.
func (j *journal) open(size int64) error {
	umaskMu.RLock()
	f, err := os.OpenFile(j.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	umaskMu.RUnlock()
	if err != nil {
		return err
	}
	j.file, j.size, j.base = f, size, size
	if err := f.Truncate(size); err != nil {
		return err
	}
	if size > smallJournal {
		return j.rewrite()
	}
	return nil
}

// close makes the journal durable and ends its use.
func (j *journal) close() {
	close(j.done)
	<-j.flushed
	err := j.sync()
	j.mu.Lock()
	big := j.size > smallJournal
	j.mu.Unlock()
	if big || err != nil {
		err = j.rewrite()
	}
	if err != nil {
		j.log.Error().Err(err).Msg("journal not synced")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.file.Close()
}

// starting notes that an attempt is about to be started. If that cannot be
// noted, it must not be started.
func (j *journal) starting(id string, attempt int) error {
	return j.add(record{Kind: recordStarting, Instance: j.instance, ID: id, Attempt: attempt})
}

// note notes an attempt's state. What cannot be noted is logged.
func (j *journal) note(s attemptState) {
	if err := j.add(record{Kind: recordState, Instance: j.instance, State: &s}); err != nil {
		j.log.Error().Err(err).Str("job", s.ID).Int("attempt", s.Attempt).Msg("journal not written")
	}
	j.mu.Lock()
	if s.Ended {
		j.unsynced[key{j.instance, s.ID, s.Attempt}] = struct{}{}
	}
	late := s.Ended || j.torn
	j.mu.Unlock()
	if !late {
		return
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// acked forgets an attempt, whichever supervisor it was of.
func (j *journal) acked(id string, attempt int) {
	keys := []key{{j.instance, id, attempt}}
	j.mu.Lock()
	if _, ok := j.earlier[attemptKey{id, attempt}]; ok {
		delete(j.earlier, attemptKey{id, attempt})
		for k := range j.content.entries {
			if k.ID == id && k.Attempt == attempt && k.Instance != j.instance {
				keys = append(keys, k)
			}
		}
	}
	j.mu.Unlock()
	for _, k := range keys {
		if err := j.add(record{Kind: recordAcked, Instance: k.Instance, ID: id, Attempt: attempt}); err != nil {
			j.log.Error().Err(err).Str("job", id).Int("attempt", attempt).Msg("journal not written")
		}
	}
}

// before returns what a supervisor before this one has written down of an
// attempt.
func (j *journal) before(k attemptKey) (attemptState, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	state, ok := j.earlier[k]
	return state, ok
}

// add appends a record. Memory follows even if the disk does not, except for
// a start: that is then not to happen.
func (j *journal) add(r record) error {
	line, err := appendRecord(nil, r)
	if err != nil {
		return err
	}
	j.mu.Lock()
	if r.Kind != recordStarting {
		j.content.apply(r)
	}
	if r.Kind == recordAcked {
		delete(j.unsynced, key{r.Instance, r.ID, r.Attempt})
	}
	torn := j.torn
	j.mu.Unlock()
	if torn {
		if err := j.rewrite(); err != nil {
			return err
		}
	}

	j.mu.Lock()
	err = j.write(line)
	switch {
	case r.Kind != recordStarting:
		j.torn = j.torn || err != nil // memory has it, and the disk is to follow
	case err == nil:
		j.content.apply(r)
	}
	big := j.size > j.base+rewriteSize
	j.mu.Unlock()
	if big {
		if err := j.rewrite(); err != nil {
			j.log.Warn().Err(err).Msg("journal not written anew")
		}
	}
	return err
}

// write appends a line, all of it or nothing. The caller holds mu.
func (j *journal) write(line []byte) error {
	n, err := j.file.Write(line)
	if err == nil {
		j.size += int64(n)
		return nil
	}
	err = fmt.Errorf("writing the supervisor's journal: %w", err)
	if n == 0 {
		return err
	}
	if cut := j.file.Truncate(j.size); cut != nil {
		j.torn = true
	}
	return err
}

// rewrite replaces the journal by one that holds only what is still of use,
// synced to disk.
func (j *journal) rewrite() error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.base = j.size // if it fails, the next try is as far away
	j.content.forget()
	lines, err := j.content.lines()
	if err != nil {
		return err
	}
	if err := j.replace(lines); err != nil {
		return fmt.Errorf("writing the supervisor's journal: %w", err)
	}
	return nil
}

// replace puts these lines in the place of the journal. The caller holds
// syncing and mu.
func (j *journal) replace(lines []byte) error {
	if !j.folder.ours() {
		return errors.New("the state folder was moved")
	}
	temp := j.path + ".tmp"
	if err := writeSynced(temp, lines); err != nil {
		_ = os.Remove(temp) // there may be none
		return err
	}
	jobs.Step("journal: written anew")
	// Closed first: Windows does not replace an open file.
	if j.file != nil {
		j.file.Close()
	}
	moved := os.Rename(temp, j.path)
	var err error
	if j.file, err = os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		j.torn = true
		return errors.Join(moved, err)
	}
	if moved != nil {
		return moved
	}
	j.size, j.base, j.torn = int64(len(lines)), int64(len(lines)), false
	clear(j.unsynced)
	jobs.Step("journal: replaced")
	err = syncFolder(filepath.Dir(j.path))
	j.torn = err != nil
	return err
}

func writeSynced(path string, content []byte) error {
	umaskMu.RLock()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	umaskMu.RUnlock()
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// flush syncs ends that nobody has acknowledged for syncDelay, all that wait
// at once, until close. What the disk does not take is tried again.
func (j *journal) flush() {
	defer close(j.flushed)
	timer := time.NewTimer(0)
	<-timer.C
	for failing := false; ; {
		delay := syncDelay
		if failing {
			delay = mendDelay
		} else {
			select {
			case <-j.wake:
			case <-j.done:
				return
			}
		}
		timer.Reset(delay)
		select {
		case <-timer.C:
		case <-j.done:
			return // close syncs
		}
		err := j.settle()
		if err != nil && !failing {
			j.log.Error().Err(err).Msg("journal is not on disk, trying again")
		}
		failing = err != nil
	}
}

// settle brings the disk up to what memory has.
func (j *journal) settle() error {
	j.mu.Lock()
	torn := j.torn
	j.mu.Unlock()
	if torn {
		return j.rewrite()
	}
	if err := j.sync(); err != nil {
		return errors.Join(err, j.rewrite())
	}
	return nil
}

// sync syncs what is in the file. If that fails, the kernel may have dropped
// what it could not write: the file is then to be written anew.
func (j *journal) sync() error {
	j.syncing.Lock()
	defer j.syncing.Unlock()
	j.mu.Lock()
	file, wait := j.file, len(j.unsynced)
	clear(j.unsynced)
	j.mu.Unlock()
	if wait == 0 {
		return nil
	}
	err := file.Sync()
	if err != nil {
		j.mu.Lock()
		j.torn = true
		j.mu.Unlock()
	}
	return err
}
