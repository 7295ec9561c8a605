package access

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"jobrunner/jobs"
)

const (
	maxFile = 1 << 20 // bytes of a file of passwords
	maxName = 255     // bytes of a user's name

	// maxPassword is how many bytes of a password bcrypt looks at.
	maxPassword = 72

	// makeCost is that of passwords made here: some 50 ms a try. A hash of more
	// than maxCost, which is some 4 s, would take the processor away from jobs.
	makeCost = 10
	maxCost  = 16
)

// bcryptHash is a hash as htpasswd -B and others write it.
var bcryptHash = regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$`)

// users are the hashes of a file of passwords, by name.
type users map[string]string

// Check returns what is wrong with a file of passwords, each fault with its line.
// It is one in the form of htpasswd: user:hash, a line each, the hash by bcrypt.
func Check(path string) []*jobs.Fault {
	found, faults := readUsers(path)
	if len(faults) == 0 && len(found) == 0 {
		return []*jobs.Fault{{File: path, Message: "holds no user, so nobody could see the page", Hint: makeLine}}
	}
	return faults
}

// makeLine is how a file of passwords is begun.
const makeLine = "jobrunner passwd USER >> FILE adds one"

func readUsers(path string) (users, []*jobs.Fault) {
	data, err := readFile(path)
	if err != nil {
		return nil, []*jobs.Fault{{File: path, Message: err.Error(), Hint: makeLine}}
	}
	return parseUsers(filepath.Base(path), data)
}

// readFile reads a regular file that is not too large, and waits for nobody, as at
// a FIFO.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.New("there is no such file")
	case err != nil:
		return nil, plainError(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("is no regular file")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblocking, 0)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, plainError(err)
	case len(data) > maxFile:
		return nil, fmt.Errorf("is larger than %d MiB", maxFile>>20)
	}
	return data, nil
}

// plainError is err without the path, which is known.
func plainError(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// parseUsers reads the lines of a file of passwords. No fault repeats a hash.
func parseUsers(file string, data []byte) (users, []*jobs.Fault) {
	found := users{}
	var faults []*jobs.Fault
	line := 0
	for text := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		line++
		text = strings.TrimRight(text, "\r\n")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, hash, _ := strings.Cut(text, ":")
		message, hint := lineFault(name, hash)
		if message == "" && found[name] != "" {
			message, hint = "user "+show(name)+" stands twice", "remove one of the lines"
		}
		if message != "" {
			faults = append(faults, &jobs.Fault{File: file, Line: line, Message: message, Hint: hint})
			continue
		}
		found[name] = hash
	}
	return found, faults
}

// lineFault says what is wrong with a line, and what to do.
func lineFault(name, hash string) (message, hint string) {
	const again = "jobrunner passwd USER writes such a line, and so does htpasswd -nB USER"
	switch {
	case hash == "":
		return "is no user:hash", again
	case CheckName(name) != nil:
		return CheckName(name).Error(), again
	case !bcryptHash.MatchString(hash):
		return "the password of " + show(name) + " is not hashed with bcrypt", again
	}
	switch cost, err := bcrypt.Cost([]byte(hash)); {
	case err != nil:
		return "the password of " + show(name) + " is not hashed with bcrypt: " + err.Error(), again
	case cost > maxCost:
		return fmt.Sprintf("the hash of %s has the cost %d: each try would take minutes", show(name), cost),
			fmt.Sprintf("use one of %d at most", maxCost)
	}
	return "", ""
}

// CheckName says why a user cannot have that name; nil if one can.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("the name of a user is empty")
	case len(name) > maxName:
		return fmt.Errorf("the name of a user has more than %d bytes", maxName)
	case !utf8.ValidString(name) || strings.Contains(name, ":") || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%s is no name of a user: it holds a colon or what cannot be printed", show(name))
	case strings.HasPrefix(name, "#") || strings.TrimSpace(name) != name:
		return fmt.Errorf("%s is no name of a user: it begins with # or a space, or ends with one", show(name))
	}
	return nil
}

func show(name string) string { return fmt.Sprintf("%q", jobs.Sanitize(name)) }

// Line makes the line of a user with a password.
func Line(name, password string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	switch {
	case password == "":
		return "", errors.New("the password is empty")
	case len(password) > maxPassword:
		return "", fmt.Errorf("the password has more than %d bytes, which is as far as bcrypt looks", maxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), makeCost)
	if err != nil {
		return "", fmt.Errorf("hashing the password: %w", err)
	}
	// The same algorithm, under the name by which Apache knows it too.
	return name + ":$2y$" + strings.TrimPrefix(string(hash), "$2a$"), nil
}
