package config

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jobrunner/jobs"
)

// maxFile is how large the file may be. What is not a configuration is not
// read into memory.
const maxFile = 1 << 20

// minimal is the smallest useful file, and what is in a type's, for hints.
const (
	minimal     = "types: {countdown: {" + minimalType + "}}"
	minimalType = "command: [python3, -u, countdown.py]"
)

// Config is one version of jobrunner.yaml with its defaults filled in.
type Config struct {
	Path string // absolute
	Dir  string // absolute folder of Path; relative paths in the file start there

	// Take effect when the daemon starts; paths are absolute.
	Inbox     string
	Outbox    string
	QueueFile string
	StateDir  string
	Listen    string // "host:port", "unix:/path" or "" for no page

	AllowedHosts   []string // further names that the page answers to, in lower case
	InsecurePublic bool     // a page without a password on a listen that is not loopback is meant
	PasswordFile   string   // absolute path of who may see the page; "" for everybody
	TLS            TLSConfig
	Status         StatusFiles
	Log            LogConfig
	PollInterval   time.Duration
	Settle         time.Duration
	SettleBad      time.Duration
	MaxRequestSize int64 // bytes
	QueueKeep      int   // finished lines that stay in the queue file
	Retention      jobs.Retention

	TypesDir string // absolute folder of further types, each a file
	Catalog  *jobs.Catalog

	// TypeFaults is what is wrong with files in TypesDir. Such a type is left
	// out, or stays as it was in the version before. NewTypeFaults are those
	// that the version before did not have: all of them after Load.
	TypeFaults    Faults
	NewTypeFaults Faults

	serving bool // what this process could not do as a daemon is a fault too

	main  digest                   // of the bytes of jobrunner.yaml
	sum   digest                   // of those and of the files in TypesDir, by which Watch sees a change
	at    map[string]jobs.Position // where each key stands, by its dotted name
	files map[string]string        // name of the file that a type is from, for those from TypesDir
	said  []digest                 // of each of TypeFaults with the content that it is about
}

// digest tells contents apart.
type digest = [sha256.Size]byte

// TLSConfig names the certificate of the page; zero for a page without TLS.
type TLSConfig struct {
	Cert string // absolute path
	Key  string // absolute path
}

// StatusFiles are files into which the page is written; "" for none.
type StatusFiles struct {
	HTML string // absolute path; gets the first page
	JSON string // absolute path; gets the counts
}

// LogConfig says what is logged and how it looks.
type LogConfig struct {
	Level  string // trace, debug, info, warn or error
	Format string // auto, console or json
}

// defaults is what holds for the keys that a file leaves out.
func defaults(path string) *Config {
	dir := filepath.Dir(path)
	return &Config{
		Path:           path,
		Dir:            dir,
		Inbox:          "inbox",
		Outbox:         "outbox",
		QueueFile:      "job_queue.txt",
		StateDir:       ".jobrunner",
		Listen:         "127.0.0.1:8080",
		Log:            LogConfig{Level: "info", Format: "auto"},
		PollInterval:   2 * time.Second,
		Settle:         300 * time.Millisecond,
		SettleBad:      5 * time.Second,
		MaxRequestSize: 64 << 10,
		QueueKeep:      1000,
		Retention:      jobs.Retention{Age: 30 * 24 * time.Hour, Jobs: 10_000},
		TypesDir:       "types.d",
		Catalog:        &jobs.Catalog{Dir: dir, MaxConcurrent: 3, MaxPending: 1_000_000, Types: map[string]*jobs.Type{}},
		at:             map[string]jobs.Position{},
		files:          map[string]string{},
	}
}

// Load reads the file at path and the types in their folder. An error is always
// Faults, with everything that is wrong; what is wrong with files of single
// types only is no error but TypeFaults.
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data, nil, false)
}

// LoadToServe is Load for a daemon. What the file asks for and this process could
// not do is a fault too; for other programs, of other users, it is none.
func LoadToServe(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data, nil, true)
}

// read gives the file's bytes, one more than maxFile at most. An error is Faults.
func read(path string) ([]byte, error) {
	data, wrong := contents(path)
	if wrong == "" {
		return data, nil
	}
	hint := map[string]string{
		notThere:   "name another with --config FILE, or write one, at least: " + minimal,
		isFolder:   "name the file in it with --config FILE",
		notRegular: "name another with --config FILE",
	}[wrong]
	return nil, Faults{{File: path, Message: wrong, Hint: hint}}
}

// What contents says of what is no file.
const (
	notThere   = "there is no such file"
	isFolder   = "is a folder"
	notRegular = "is no regular file"
)

// contents gives the bytes of a file, one more than maxFile at most, or what
// is wrong with it.
func contents(path string) (data []byte, wrong string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, notThere
	case err != nil:
		return nil, reason(err)
	case info.IsDir():
		return nil, isFolder
	case !info.Mode().IsRegular(): // opening one may do something
		return nil, notRegular
	}
	file, err := os.OpenFile(path, os.O_RDONLY|openNonblocking, 0)
	if err != nil {
		return nil, reason(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && !info.Mode().IsRegular() { // it was put there meanwhile
		return nil, notRegular
	}
	data, err = io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, reason(err)
	}
	return data, ""
}

// reason is what the system said, without the name of the call and the path,
// which the fault bears already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// parse makes a Config of the bytes of the file at path. before is the one in
// force, from which types stay whose files have gone bad; nil if there is none.
// serving is LoadToServe's.
func parse(path string, data []byte, before *Config, serving bool) (*Config, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, Faults{{File: path, Message: err.Error()}}
	}
	c := defaults(absolute)
	c.main, c.serving = sha256.Sum256(data), serving
	d := &decoder{file: filepath.Base(path), dir: c.Dir, sample: minimal, at: c.at, serving: serving}
	d.same = before != nil && before.main == c.main
	if root := d.document(data); root != nil {
		d.config(c, value{node: root, at: root})
		c.makeAbsolute()
		if within(c.TypesDir, c.Dir) != same { // which is a fault, and one is enough
			c.addTypes(before)
		}
		d.validate(c)
	}
	c.report(d.lost, c.main)
	if len(d.faults) > 0 {
		d.faults.sort()
		return nil, append(d.faults, c.TypeFaults...)
	}
	c.NewTypeFaults = c.news(before)
	return c, nil
}

// config decodes the whole file into c, which holds the defaults.
func (d *decoder) config(c *Config, v value) {
	const leaveOut = "leave the key out for its default"
	d.fields(v, fields{
		"max_concurrent":   d.whole(&c.Catalog.MaxConcurrent, 1, math.MaxInt32),
		"inbox":            d.path(&c.Inbox, leaveOut),
		"outbox":           d.path(&c.Outbox, leaveOut),
		"queue_file":       d.path(&c.QueueFile, leaveOut),
		"state_dir":        d.path(&c.StateDir, leaveOut),
		"listen":           d.listen(&c.Listen),
		"allowed_hosts":    d.hosts(&c.AllowedHosts),
		"insecure_public":  d.truth(&c.InsecurePublic),
		"password_file":    d.filePath(&c.PasswordFile),
		"tls":              d.tls(&c.TLS),
		"status":           d.status(&c.Status),
		"log":              d.log(&c.Log),
		"poll_interval":    d.duration(&c.PollInterval, 10*time.Millisecond),
		"settle":           d.duration(&c.Settle, 0),
		"settle_bad":       d.duration(&c.SettleBad, 0),
		"max_request_size": d.size(&c.MaxRequestSize),
		"queue_keep":       d.whole(&c.QueueKeep, 0, math.MaxInt32),
		"max_pending":      d.whole(&c.Catalog.MaxPending, 1, math.MaxInt32),
		"retention":        d.retention(&c.Retention),
		"slots":            d.slots(&c.Catalog.Slots),
		"schedules":        d.schedules(&c.Catalog.Schedules),
		"on_finish":        d.hooks(&c.Catalog.OnFinish),
		"types_dir":        d.path(&c.TypesDir, leaveOut),
		"types":            d.types(c.Catalog.Types),
	})
}

func (d *decoder) log(dst *LogConfig) func(value) {
	return func(v value) {
		d.fields(v, fields{
			"level":  d.choice(&dst.Level, "trace", "debug", "info", "warn", "error"),
			"format": d.choice(&dst.Format, "auto", "console", "json"),
		})
	}
}

func (c *Config) makeAbsolute() {
	for _, p := range []*string{&c.Inbox, &c.Outbox, &c.QueueFile, &c.StateDir, &c.TypesDir} {
		*p = below(c.Dir, *p)
	}
}

// below gives path as an absolute one, relative ones starting at dir.
func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// validate holds the keys against each other.
func (d *decoder) validate(c *Config) {
	if !d.has("types") && c.empty() {
		d.gone(c.fault("types", "is missing: there is nothing that could run", "add one, for example "+minimal))
	}
	for _, check := range d.later {
		check(c)
	}
	d.faults = append(d.faults, c.publicFaults()...)
	d.faults = append(d.faults, c.folderFaults()...)
	d.faults = append(d.faults, c.statusFaults()...)
}

// empty reports whether there is no type, also none in a file that is broken.
func (c *Config) empty() bool { return len(c.Catalog.Types) == 0 && len(c.TypeFaults) == 0 }

// fault makes a Fault of a key, at its place in the file; at the file's first
// line if the key was left out. In the file of a type its keys stand alone.
func (c *Config) fault(key, message, hint string) *jobs.Fault {
	at, ok := c.at[key]
	if !ok {
		at = jobs.Position{File: filepath.Base(c.Path), Line: 1, Column: 1}
	}
	return at.Fault(c.shortKey(key, at)+": "+message, hint)
}

// shortKey is key as the file names it in which it stands: that of a type
// leaves its name out.
func (c *Config) shortKey(key string, at jobs.Position) string {
	if parts := strings.SplitN(key, ".", 3); at.File != filepath.Base(c.Path) && len(parts) == 3 {
		return parts[2]
	}
	return key
}

// FixedChanged names the keys that differ in next and take effect only when
// the daemon starts again.
func (c *Config) FixedChanged(next *Config) []string {
	var keys []string
	for _, k := range []struct{ name, old, new string }{
		{"inbox", c.Inbox, next.Inbox},
		{"outbox", c.Outbox, next.Outbox},
		{"queue_file", c.QueueFile, next.QueueFile},
		{"state_dir", c.StateDir, next.StateDir},
		{"listen", c.Listen, next.Listen},
	} {
		if k.old != k.new {
			keys = append(keys, k.name)
		}
	}
	return keys
}
