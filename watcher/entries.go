package watcher

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// parse reads a request file. Its name is foreign text that goes into faults.
func parse(name string, data []byte) []jobs.Item {
	name = jobs.Sanitize(name)
	items := jobs.ParseFile(name, data)
	if len(items) == 0 {
		return []jobs.Item{{Fault: &jobs.Fault{File: name, Message: "there is no request in it"}}}
	}
	return items
}

func faulty(items []jobs.Item) bool {
	for _, it := range items {
		if it.Fault != nil {
			return true
		}
	}
	return false
}

func parses(name string, data []byte) bool { return !faulty(parse(name, data)) }

// intake makes what is to be committed of a claimed file: all that it asks
// for, or one REJECTED job with what is wrong.
func (b *inbox) intake(ctx context.Context, c *claim, items []jobs.Item) (jobs.Intake, error) {
	now := time.Now()
	in := jobs.Intake{Receipt: &jobs.Receipt{ID: c.id, Name: c.name, TakenAt: now}}
	catalog := b.Catalog()
	var bad []jobs.Item
	commands := 0
	for i, it := range items {
		switch {
		case it.Fault != nil:
			bad = append(bad, it)
		case it.Command != nil:
			commands++
			in.Entries = append(in.Entries, jobs.Entry{Command: it.Command})
		case it.Request != nil:
			j, fault := catalog.Resolve(it.Request)
			if fault != nil {
				it.Request, it.Fault = nil, fault
				bad = append(bad, it)
				continue
			}
			if j.ID == "" {
				j.ID = c.jobID(i, len(items))
			}
			j.Source, j.SubmittedAt = c.source(), now
			in.Entries = append(in.Entries, jobs.Entry{Job: j})
		}
	}
	if len(bad) > 0 {
		j, err := b.rejected(ctx, c, bad, len(items))
		if err != nil {
			return jobs.Intake{}, err
		}
		in.Entries = []jobs.Entry{{Job: j}}
		return in, nil
	}
	if commands > 0 && commands == len(in.Entries) {
		in.Receipt.Command = in.Entries[0].Command
	}
	return in, nil
}

// jobID is the id of the n-th of all requests of the file: the same one
// whenever the claim is read again.
func (c *claim) jobID(n, all int) string {
	if all == 1 {
		return c.id
	}
	return uuid.NewSHA1(uuid.MustParse(c.id), []byte(strconv.Itoa(n))).String()
}

func (c *claim) source() string { return "inbox:" + strings.ToValidUTF8(c.name, "\uFFFD") }

// maxFaults is how many faults of one file a reason tells.
const maxFaults = 3

// rejected makes the job that stands for a file of which nothing is taken. It
// bears the id of the file's only request, if that one is free.
func (b *inbox) rejected(ctx context.Context, c *claim, bad []jobs.Item, all int) (*jobs.Job, error) {
	j := jobs.RejectedJob(bad[0])
	if j.ID != "" && all == 1 {
		known, err := b.Queue.Job(ctx, j.ID)
		if err != nil && !errors.Is(err, jobs.ErrNotFound) {
			return nil, err
		}
		if err == nil && known.State != jobs.Rejected {
			j.ID = ""
		}
	}
	if j.ID == "" || all > 1 {
		j.ID, j.Spelling = c.id, ""
	}
	var reasons []string
	for _, it := range bad[:min(len(bad), maxFaults)] {
		reasons = append(reasons, it.Fault.Error())
	}
	if more := len(bad) - maxFaults; more > 0 {
		reasons = append(reasons, fmt.Sprintf("and %d more faults", more))
	}
	j.Reason = strings.Join(reasons, " | ")
	j.Args = []string{"file:" + strings.ToValidUTF8(c.name, "\uFFFD")}
	j.Source, j.SubmittedAt = c.source(), time.Now()
	return j, nil
}
