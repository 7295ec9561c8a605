package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/config"
	"jobrunner/jobs"
	"jobrunner/ui"
	"jobrunner/watcher"
)

// system is what the page of the system says.
func (d *daemon) system(w watcher.Status) ui.System {
	s := ui.System{
		PID: os.Getpid(), Config: d.configState(), Settings: settings(d.first, d.current.Load()), Places: *d.places.Load(),
		Events: w.Events, QueueFile: w.Queue, Database: d.databaseSize(), Retention: retentionWords(d.current.Load().Retention),
	}
	if s.QueueFile == "" {
		s.QueueFile = "lines are taken in, and states kept current in it"
	}
	if v := d.runner.Supervisor(); v != nil {
		s.Supervisor = fmt.Sprintf("pid %d, speaks protocol %d", v.PID, v.Protocol)
	}
	return s
}

func retentionWords(r jobs.Retention) string {
	if r.Forever {
		return "ended jobs stay for ever"
	}
	age := r.Age.String()
	if days := r.Age / (24 * time.Hour); days > 1 && r.Age%(24*time.Hour) == 0 {
		age = fmt.Sprintf("%d days", days)
	}
	return fmt.Sprintf("ended jobs go after %s, the newest %d stay all the same", age, r.Jobs)
}

func (d *daemon) configState() ui.ConfigState {
	s := ui.ConfigState{Path: d.first.Path, LoadedAt: *d.loadedAt.Load()}
	if faults := d.faults.Load(); faults != nil {
		s.Faults = *faults
	}
	return s
}

// settings are the keys of the configuration that are one value. Those that
// count from the start of the daemon on are as they were then.
func settings(first, now *config.Config) []ui.Setting {
	c := now
	var all []ui.Setting
	add := func(name, value string) { all = append(all, ui.Setting{Name: name, Value: value}) }
	fixed := func(name, value, next string) {
		s := ui.Setting{Name: name, Value: value}
		if next != value {
			s.Next = next
		}
		all = append(all, s)
	}
	add("max_concurrent", strconv.Itoa(c.Catalog.MaxConcurrent))
	add("max_pending", strconv.Itoa(c.Catalog.MaxPending))
	fixed("inbox", first.Inbox, c.Inbox)
	fixed("outbox", first.Outbox, c.Outbox)
	fixed("queue_file", first.QueueFile, c.QueueFile)
	fixed("state_dir", first.StateDir, c.StateDir)
	fixed("listen", orNone(first.Listen), orNone(c.Listen))
	add("allowed_hosts", orNone(strings.Join(c.AllowedHosts, ", ")))
	add("insecure_public", strconv.FormatBool(c.InsecurePublic))
	add("password_file", orNone(c.PasswordFile))
	add("tls", orNone(c.TLS.Cert))
	add("status.html", orNone(c.Status.HTML))
	add("status.json", orNone(c.Status.JSON))
	add("log", c.Log.Level+", "+c.Log.Format)
	add("poll_interval", c.PollInterval.String())
	add("settle", c.Settle.String())
	add("settle_bad", c.SettleBad.String())
	add("max_request_size", jobs.ExactSize(c.MaxRequestSize))
	add("queue_keep", strconv.Itoa(c.QueueKeep))
	add("types_dir", c.TypesDir)
	add("types", strconv.Itoa(len(c.Catalog.Types)))
	add("slots", orNone(slotNames(c.Catalog.Slots)))
	add("schedules", strconv.Itoa(len(c.Catalog.Schedules)))
	add("on_finish", strconv.Itoa(len(c.Catalog.OnFinish))) // their addresses may be secret
	return all
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

func slotNames(slots map[string]jobs.SlotPool) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(slots)) {
		all = append(all, fmt.Sprintf("%s: %d", name, len(slots[name].Tokens)))
	}
	return strings.Join(all, ", ")
}

// roomEvery is between two looks at how full the disks are.
const roomEvery = 10 * time.Second

// watchRoom looks how much room there is where the daemon works. The page is
// told what the last look saw: a share that does not answer must not hold it up.
func (d *daemon) watchRoom(ctx context.Context) error {
	for {
		d.places.Store(new(placesOf(d.first, room)))
		select {
		case <-time.After(jobs.UntilBeat(roomEvery)):
		case <-ctx.Done():
			return nil
		}
	}
}

// placesOf are the places that the daemon works in.
func placesOf(c *config.Config, room func(string) (free, total int64, err error)) []ui.Place {
	all := []ui.Place{
		{What: "state folder: the database and what jobs print", Path: c.StateDir},
		{What: "inbox", Path: c.Inbox},
		{What: "outbox", Path: c.Outbox},
		{What: "queue file", Path: c.QueueFile},
	}
	for i, p := range all {
		path := p.Path
		if p.What == "queue file" {
			path = filepath.Dir(path)
		}
		if free, total, err := room(path); err == nil {
			all[i].Free, all[i].Total = free, total
		}
	}
	return all
}
