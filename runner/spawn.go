package runner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// detached is a supervisor that this process has started. It lives on when
// this process ends.
type detached struct {
	pid    int
	tries  int           // how many have been started before this one answered, this one included
	said   int64         // size of the supervisors' log before it was started
	exited chan struct{} // closed when it has ended
}

// detach starts a supervisor by command, in a session of its own and with
// none of our files open; what it says in a panic goes to its log.
func detach(stateDir string, command []string, before *detached) (*detached, error) {
	if len(command) == 0 {
		return nil, errors.New("no command is set")
	}
	d := &detached{tries: 1, exited: make(chan struct{})}
	if before != nil {
		d.tries += before.tries
	}
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(stateDir, supervisorLog)
	const bigLog = 1 << 20
	if info, err := os.Stat(path); err == nil && info.Size() > bigLog {
		_ = os.Rename(path, path+".old")
	}
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if info, err := log.Stat(); err == nil {
		d.said = info.Size()
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()

	p, err := os.StartProcess(ownBinary(command[0]), append([]string{"jobrunner"}, command[1:]...), &os.ProcAttr{
		Dir: rootOf(stateDir), Files: []*os.File{null, null, log}, Sys: detachedAttr(),
	})
	if err != nil {
		return nil, err
	}
	d.pid = p.Pid
	// If it ends before we do, nobody else asks for its status and it would
	// stay a zombie. If we end first, so does this goroutine.
	go func() {
		_, _ = p.Wait()
		close(d.exited)
	}()
	return d, nil
}

func (d *detached) gone() bool {
	select {
	case <-d.exited:
		return true
	default:
		return false
	}
}

// words gives the end of the supervisor's log, which tells why it ended.
func (d *detached) words(stateDir string) string {
	f, err := os.Open(filepath.Join(stateDir, supervisorLog))
	if err != nil {
		return "it ended at once"
	}
	defer f.Close()
	const tail = 1024
	if info, err := f.Stat(); err == nil {
		_, _ = f.Seek(max(d.said, info.Size()-tail), io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(f, tail))
	if len(bytes.TrimSpace(text)) == 0 {
		if err := tryWrite(stateDir); err != nil {
			return "it ended at once: nothing can be written in the state folder: " + err.Error()
		}
		return "it ended at once and said nothing"
	}
	return fmt.Sprintf("it ended at once; the last line of %s is: %s", f.Name(), lastLine(text))
}

// tryWrite finds out whether a file can be written in a folder.
func tryWrite(dir string) error {
	path := filepath.Join(dir, "supervisor.try")
	err := writeSynced(path, make([]byte, 4096))
	_ = os.Remove(path) // there may be none
	return err
}

func lastLine(text []byte) string {
	text = bytes.TrimSpace(text)
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}

// openAppend opens a file for appending, with further flags. It creates the
// file and, if need be, its folder.
func openAppend(path string, flags int) (*os.File, error) {
	flags |= os.O_WRONLY | os.O_CREATE | os.O_APPEND
	f, err := os.OpenFile(path, flags, 0o600)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, flags, 0o600)
}
