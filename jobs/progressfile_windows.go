package jobs

import (
	"errors"
	"io/fs"
	"os"
)

// No job runs as another user here.

func othersFile(string, string, int) string { return "" }

func openOthers(string, string, int) (*os.File, error) { return nil, fs.ErrNotExist }

func makeOthers(string, string, int, *Account) error { return errors.ErrUnsupported }

func removeOthers(string, string, int) error { return nil }
