package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	answerTime  = 5 * time.Second // how long a daemon may take to answer
	answerPause = 20 * time.Millisecond

	waitsForServe = "waits for the next serve"
)

// document is a request or command as YAML. Every text stands in double quotes:
// the escapes of Go are among those of YAML, so it is read as it was given.
type document struct{ strings.Builder }

func (d *document) text(key, value string) {
	fmt.Fprintf(d, "%s: %s\n", key, strconv.Quote(value))
}

func (d *document) number(key string, value int) {
	fmt.Fprintf(d, "%s: %d\n", key, value)
}

func (d *document) truth(key string) {
	fmt.Fprintf(d, "%s: true\n", key)
}

func (d *document) list(key string, values []string) {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	fmt.Fprintf(d, "%s: [%s]\n", key, strings.Join(quoted, ", "))
}

func (d *document) lists(key string, axes []jobs.Axis) {
	if len(axes) == 0 {
		return
	}
	fmt.Fprintf(d, "%s:\n", key)
	for _, axis := range axes {
		d.WriteString("  ")
		d.list(strconv.Quote(axis.Name), axis.Values)
	}
}

func (d *document) table(key string, pairs [][2]string) {
	if len(pairs) == 0 {
		return
	}
	fmt.Fprintf(d, "%s:\n", key)
	for _, p := range pairs {
		fmt.Fprintf(d, "  %s: %s\n", strconv.Quote(p[0]), strconv.Quote(p[1]))
	}
}

// drop puts a request file into the inbox, whole: under a name that is left
// alone first, on disk, and then by a rename.
func (c *client) drop(name, content string) error {
	if int64(len(content)) > c.cfg.MaxRequestSize {
		return &hintedError{
			err:  fmt.Errorf("the request has %d bytes, and no more than %d are read", len(content), c.cfg.MaxRequestSize),
			hint: "put long arguments into a file that the job reads, or raise max_request_size in " + filepath.Base(c.cfg.Path),
		}
	}
	err := os.MkdirAll(c.cfg.Inbox, 0o777)
	if err == nil {
		err = writeFile(filepath.Join(c.cfg.Inbox, name), content)
	}
	if err != nil {
		return fmt.Errorf("dropping the request: %w", err)
	}
	return nil
}

func writeFile(path, content string) (err error) {
	dir, name := filepath.Split(path)
	temp := filepath.Join(dir, "."+name+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return err
	}
	return syncFolder(dir)
}

// answer is the reply that a daemon writes to a taken file, as far as the verbs
// look at it.
type answer struct {
	State    jobs.State    `json:"state"`
	Reason   string        `json:"reason"`
	Jobs     []answeredJob `json:"jobs"`
	Warnings []string      `json:"warnings"`
}

type answeredJob struct {
	ID        string `json:"id"`
	Group     string `json:"group"`
	UniqueKey string `json:"unique_key"`
}

// await waits for the answer to a dropped file while a daemon is there to
// give one. It returns nil, and has said so, if there is none or it is slow:
// then the file waits.
func (c *client) await(ctx context.Context, name string) (*answer, error) {
	_, held, err := lockHolder(c.cfg.StateDir)
	if err != nil {
		return nil, err
	}
	if held {
		a, err := c.answered(ctx, name)
		if a != nil || err != nil {
			return a, err
		}
		if _, held, err = lockHolder(c.cfg.StateDir); err != nil {
			return nil, err
		}
	}
	switch {
	case held && c.full(ctx):
		c.note("%s: the request waits in %s and is taken when fewer do", jobs.FullWords(c.cfg.Catalog.MaxPending), c.cfg.Inbox)
	case held:
		c.note("no answer from the daemon within %s; the request waits in %s", answerTime, c.cfg.Inbox)
	default:
		c.note(waitsForServe)
	}
	return nil, nil
}

// full reports whether as many jobs wait as may.
func (c *client) full(ctx context.Context) bool {
	if c.reopen() != nil || c.queue == nil {
		return false
	}
	n, err := c.queue.Pending(ctx)
	return err == nil && n >= c.cfg.Catalog.MaxPending
}

// answered looks for the reply for as long as one is to be expected; nil if
// none came.
func (c *client) answered(ctx context.Context, name string) (*answer, error) {
	path := filepath.Join(c.cfg.Outbox, name+".json")
	ticker := time.NewTicker(answerPause)
	defer ticker.Stop()
	for end := time.Now().Add(answerTime); ; {
		a, err := readAnswer(path)
		if a != nil && a.State == jobs.Running && len(a.Jobs) == 0 { // a command that takes a while
			return c.finished(ctx, path, a)
		}
		if a != nil || err != nil {
			return a, err
		}
		if time.Now().After(end) {
			return nil, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func readAnswer(path string) (*answer, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the reply: %w", err)
	}
	a := new(answer)
	if err := json.Unmarshal(data, a); err != nil {
		return nil, fmt.Errorf("reading the reply %s: %w", path, err)
	}
	return a, nil
}

// refusal makes an error of a REJECTED answer. What stands before the first
// message is a place in our own file, of which nobody has heard.
func (a *answer) refusal(name string) error {
	reason := a.Reason
	if place, ok := strings.CutPrefix(reason, name+":"); ok {
		parts := strings.SplitN(place, ":", 3)
		i := slices.IndexFunc(parts, func(p string) bool {
			_, err := strconv.Atoi(p)
			return err != nil
		})
		if i >= 0 {
			reason = strings.TrimSpace(strings.Join(parts[i:], ":"))
		}
	}
	return errors.New(reason)
}
