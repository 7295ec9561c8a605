//go:build !linux

package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// socketAddr holds the path of the socket where the state folder's own is too
// long for one.
const socketAddr = "supervisor.addr"

// placeSocket says where the socket of a state folder is to be made.
func placeSocket(stateDir string) (path string, extra []string, err error) {
	path = filepath.Join(stateDir, socketFile)
	if len(path) <= maxSocketPath {
		return path, nil, nil
	}
	return placeInTemp(stateDir)
}

// findSocket says where the socket of a state folder is.
func findSocket(stateDir string) (string, error) {
	path := filepath.Join(stateDir, socketFile)
	if len(path) <= maxSocketPath {
		return path, nil
	}
	return findInTemp(stateDir)
}

// shortPath gives a path that fits into a socket's address.
func shortPath(path string) (short string, release func(), err error) {
	return path, func() {}, nil
}

// placeInTemp gives a socket a place in a private folder of its own, and
// writes down where that is.
func placeInTemp(stateDir string) (path string, extra []string, err error) {
	folder, err := os.MkdirTemp("", "jobrunner-")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(folder, socketFile)
	addr := filepath.Join(stateDir, socketAddr)
	if len(path) > maxSocketPath {
		os.Remove(folder)
		return "", nil, errors.New("the paths of both the state folder and the folder for temporary files are too long for a socket")
	}
	if err := os.WriteFile(addr+".tmp", []byte(path+"\n"), 0o600); err != nil {
		os.Remove(folder)
		return "", nil, err
	}
	if err := os.Rename(addr+".tmp", addr); err != nil {
		os.Remove(folder)
		return "", nil, err
	}
	return path, []string{addr, folder}, nil
}

// findInTemp returns the path that placeInTemp has written down.
func findInTemp(stateDir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(stateDir, socketAddr))
	if errors.Is(err, os.ErrNotExist) {
		return "", errNoSocket
	}
	return strings.TrimSpace(string(data)), err
}
