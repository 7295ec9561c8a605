//go:build unix

package runner

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// findProgram gives the path of the program that an attempt is to execute: a
// bare name is looked up in the PATH of the attempt's own environment. Paths
// are relative to the attempt's working folder.
func findProgram(sp *spec) (string, error) {
	name := sp.Argv[0]
	if strings.Contains(name, "/") {
		return name, nil
	}
	denied := ""
	for _, folder := range filepath.SplitList(pathOf(sp.Env)) {
		if folder == "" {
			folder = "."
		}
		path := filepath.Join(folder, name)
		full := within(sp.Dir, path)
		switch err := sp.checkProgram(full); {
		case err == nil:
			return full, nil
		case errors.Is(err, os.ErrPermission) && denied == "":
			denied = full
		}
	}
	if denied != "" {
		return "", fmt.Errorf("permission denied: %s", denied)
	}
	return "", fmt.Errorf("%s not found in PATH", name)
}

// pathOf returns the PATH of an environment; the last one holds.
func pathOf(env []string) string {
	path := ""
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			path = value
		}
	}
	return path
}

func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// checkProgram tells why the attempt cannot execute a file; nil if it can.
func (s *spec) checkProgram(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return os.ErrPermission
	}
	return s.mayExecute(path)
}

// mayExecute tells why the attempt may not execute a file, or go through a folder.
func (s *spec) mayExecute(path string) error {
	if s.Account != nil {
		return s.Account.May(path, jobs.ToExecute)
	}
	return unix.Access(path, unix.X_OK)
}

// interpreterLine returns what the first line of a script names as its
// interpreter, quoted so that a stray carriage return is seen; false if the
// file is no script.
func interpreterLine(dir, path string) (string, bool) {
	f, err := os.OpenFile(within(dir, path), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", false
	}
	defer f.Close()
	const longest = 256 // BINPRM_BUF_SIZE
	line, err := bufio.NewReader(io.LimitReader(f, longest)).ReadString('\n')
	if err != nil && line == "" || !strings.HasPrefix(line, "#!") {
		return "", false
	}
	line = strings.TrimLeft(strings.TrimSuffix(line[2:], "\n"), " \t")
	if program, _, spaced := strings.Cut(line, " "); spaced {
		line = program
	}
	if strings.HasSuffix(line, "\r") {
		return strconv.Quote(line) + " (the line ends in a carriage return)", true
	}
	return line, true
}
