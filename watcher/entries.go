package watcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	catalog := b.Catalog()
	entries, bad := catalog.Entries(items, func(n int) string { return c.jobID(n, len(items)) })
	if len(bad) > 0 {
		return b.refusal(ctx, c, bad, len(items))
	}
	if err := catalog.Freeze(b.StateDir, entries); err != nil {
		return jobs.Intake{}, err
	}
	in := jobs.Intake{Receipt: &jobs.Receipt{ID: c.id, Name: c.name, TakenAt: time.Now()}, Entries: entries, MaxPending: b.Gate.most(fromInbox)}
	for _, e := range entries {
		if e.Command == nil {
			e.Job.Source, e.Job.SubmittedAt = c.source(), in.Receipt.TakenAt
		}
	}
	if !slices.ContainsFunc(entries, func(e jobs.Entry) bool { return e.Command == nil }) {
		in.Receipt.Command = entries[0].Command
	}
	return in, nil
}

// refusal is the intake of a file of which nothing is taken.
func (b *inbox) refusal(ctx context.Context, c *claim, bad []jobs.Item, all int) (jobs.Intake, error) {
	j, err := b.rejected(ctx, c, bad, all)
	if err != nil {
		return jobs.Intake{}, err
	}
	receipt := &jobs.Receipt{ID: c.id, Name: c.name, TakenAt: j.SubmittedAt}
	return jobs.Intake{Receipt: receipt, Entries: []jobs.Entry{{Job: j}}}, nil
}

// refusedItems are the items of a file that the queue refused, as far as they
// can be told apart: the file's only one, or what was said of each.
func refusedItems(items []jobs.Item, refused *jobs.RefusedError) []jobs.Item {
	var bad []jobs.Item
	for _, r := range refused.Refusals {
		it := jobs.Item{FirstWord: items[0].FirstWord}
		if len(items) == 1 {
			it = items[0]
		}
		it.Request, it.Command, it.Fault = nil, nil, r.Fault
		bad = append(bad, it)
	}
	return bad
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
	free := j.ID != "" && all == 1
	if free {
		var err error
		if free, err = b.isFree(ctx, j.ID); err != nil {
			return nil, err
		}
	}
	if !free {
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

// isFree reports whether a REJECTED job can bear the id: neither another one
// nor a sweep does.
func (b *inbox) isFree(ctx context.Context, id string) (bool, error) {
	known, err := b.Queue.Job(ctx, id)
	if err == nil {
		return known.State == jobs.Rejected, nil
	}
	var gone *jobs.PrunedError
	if errors.As(err, &gone) && gone.State != jobs.Rejected {
		return false, nil
	}
	if errors.Is(err, jobs.ErrNotFound) {
		_, err = b.Queue.Members(ctx, id)
	}
	if errors.Is(err, jobs.ErrNotFound) {
		return true, nil
	}
	return false, err
}
