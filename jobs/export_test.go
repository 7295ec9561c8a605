package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Migrations are the steps, for the test of each older schema.
var Migrations = migrations

// Plans gives the query plan of every query that must be a look-up, by name.
func (q *Queue) Plans(ctx context.Context) (map[string]string, error) {
	queries := map[string]struct {
		text string
		args []any
	}{
		"next":        {selectNext, []any{"a", 1}},
		"active":      {selectOrder, []any{1}},
		"running":     {selectRunning, nil},
		"longest":     {selectLongest, nil},
		"lines":       {selectWanted, []any{1}},
		"placed":      {selectPlaced, []any{1, 1}},
		"job":         {selectJobs + "WHERE id = ?", []any{"a"}},
		"prefix":      {selectJobs + "WHERE id >= ? AND id < ? ORDER BY id LIMIT 10", []any{"a", "b"}},
		"receipts of": {selectReceiptsOf, []any{`["a"]`}},
		"receipt":     {"SELECT " + receiptColumns + " FROM receipts WHERE name = ? AND newest = 1", []any{"a"}},
		"events":      {selectEvents, []any{1, 1}},
		"these":       {selectThese, []any{`["a"]`}},
		"readings of": {selectReadingsOf, []any{`["a"]`}},
		"above":       {countAbove, []any{"a", 1}},
		"level":       {countLevel, []any{"a", 1, 1}},
		"queue":       {selectQueue, []any{"a"}},
		"runs":        {selectRuns, []any{"a", 1}},
		"ended":       {selectEnded, []any{"a", 1}},
		"since":       {selectSince, []any{1}},
		"spans":       {selectSpans, []any{1, 9, 9, 9}},
		"spans later": {selectLater, []any{1, 9, 9}},
		"ends of":     {selectEnds, []any{"a"}},
		"ended in":    {countWithin, []any{1, 9, 9}},
		"until":       {selectUntil, []any{1}},
		"submitted":   {selectSubmitted, []any{1}},
		"group":       {selectGroup, []any{"a", "b"}},
		"unmet":       {selectUnmet, []any{`["a"]`}},
		"held":        {selectHeld, nil},
		"head":        {selectHead, []any{"a"}},
		"oldest":      {selectOldest, []any{1, 1, 9}},
		"newest":      {selectNewest, []any{"", 9}},
		"sweep of":    {selectYoungest, []any{"a"}},
		"open in":     {selectOpenIn, []any{"a"}},
		"receipts":    {selectReceipts, []any{1, 9}},
		"receipts by": {selectReceiptsFor, []any{"a"}},
		"receipt row": {selectReceiptRow, []any{1}},
		"passed":      {selectPassed, []any{1, 9, 9}},
		"pruned":      {selectPrunedBy, []any{"a", "b"}},
		"reading":     {selectReading, []any{"a", 1}},
		"readings":    {selectReadings, nil},
		"samples":     {selectSamples, []any{1, 9}},
		"uncounted":   {selectUncounted, []any{1}},
		"unended":     {selectUnended, []any{"PENDING"}},
		"ends":        {countEnded, []any{1, 9, 1}},
		"last ended":  {selectLastEnded, []any{9}},
		"last of":     {selectLastOf, []any{`["FAILED"]`, 9, 9}},
	}
	for name, f := range map[string]Filter{
		"list": {}, "list state": {States: []State{Failed}}, "list type": {Type: "a"}, "list id": {Query: "id:3f2a"},
		"list state words": {Query: "state:failed word"}, "list group": {Group: "3f2a91c0-0000-4000-8000-000000000000"},
		"list group prefix": {Query: "group:3f2a"}, "list since": {Since: time.Unix(9, 0), States: []State{Failed}},
		"list exit": {Query: "exit:1"}, "list up": {After: 1}, "list state up": {After: 1, States: []State{Failed}}, "list older": {Query: "older:1s state:failed"},
	} {
		terms, err := parseQuery(f.Query, time.Now())
		if err != nil {
			return nil, err
		}
		terms.narrow(f)
		s, err := q.search(ctx, terms, f)
		if err != nil {
			return nil, err
		}
		if len(s.walks) == 0 {
			return nil, fmt.Errorf("%s: there are no such jobs", name)
		}
		w := s.walks[0]
		queries[name] = struct {
			text string
			args []any
		}{w.query(s.conditions, s.up), slices.Concat(w.args, []any{9, 0}, s.args, []any{9})}
		queries[name+", step"] = struct {
			text string
			args []any
		}{w.queryStep(s.up), slices.Concat(w.args, []any{9, 0, 9})}
	}
	plans := map[string]string{}
	for name, query := range queries {
		rows, err := q.read.db.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query.text, query.args...)
		if err != nil {
			return nil, err
		}
		err = eachRow(rows, func(row scanner) error {
			var a, b, c int
			var step string
			err := row.Scan(&a, &b, &c, &step)
			plans[name] += step + "\n"
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// CommitTogether commits n good operations and, in their midst, one that the
// database refuses, as one batch. It returns the result of each, and ends the
// queue's own writing.
func (q *Queue) CommitTogether(n int) []error {
	close(q.w.quit)
	<-q.w.done
	q.w.quit = make(chan struct{})
	defer func() {
		q.w.done = make(chan struct{})
		close(q.w.done)
	}()
	var batch []*op
	for i := range n + 1 {
		do := func(t *tx) error { return t.event("", "good", "", "") }
		if i == n/2 {
			do = func(t *tx) error { _, err := t.exec("INSERT INTO identity VALUES (NULL)"); return err }
		}
		batch = append(batch, &op{do: do, done: make(chan error, 1)})
	}
	q.w.commit(batch)
	var results []error
	for _, o := range batch {
		results = append(results, <-o.done)
	}
	return results
}

// Pragma returns a setting of the connection that writes.
func (q *Queue) Pragma(ctx context.Context, name string) (value string, err error) {
	err = q.write(ctx, func(t *tx) error { return t.row("PRAGMA "+name, nil, &value) })
	return value, err
}

// SearchWithin is Search that may cost so much.
func (q *Queue) SearchWithin(ctx context.Context, f Filter, effort int) (Found, error) {
	return q.find(ctx, f, effort)
}

// HoldIdle runs do while all connections for reading that were idle are in use, and
// says how many these are.
func HoldIdle(q *Queue, do func()) (held int) {
	for q.read.db.Stats().Idle > 0 {
		c, err := q.read.db.Conn(context.Background())
		if err != nil {
			panic(err)
		}
		defer c.Close()
		held++
	}
	do()
	return held
}
