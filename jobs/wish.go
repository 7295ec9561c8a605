package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Retention says how long ended jobs are kept: one goes when it is older than
// Age and not among the newest Jobs of them.
type Retention struct {
	Forever bool // nothing goes by itself
	Age     time.Duration
	Jobs    int
}

// Wish is what a command to prune asks for.
type Wish struct {
	OlderThan time.Duration // since its end
	Keep      int           // newest ended jobs that stay all the same; of State alone if that is set
	Ruled     bool          // one of them was given; else those of the Retention in force count
	State     State         // only jobs of this state; "" means any
	DryRun    bool          // only say what would go
}

// Under gives the wish with the ages and numbers that count under r.
func (w Wish) Under(r Retention) Wish {
	if !w.Ruled {
		w.OlderThan, w.Keep = r.Age, r.Jobs
	}
	return w
}

// Pruning is a command to prune that is not done yet.
type Pruning struct {
	ID    string
	Wish  Wish
	Jobs  int   // that are gone so far
	Bytes int64 // that their files took
}

// pruningWords stand in a receipt until the command is done.
const pruningWords = "pruning has begun"

// carryOut is execute, but for what takes long: that is noted to be done.
func (t *tx) carryOut(c Command, in Intake, hashes map[string]string) (Outcome, error) {
	if c.Action != Prune {
		return t.execute(c, in.source(c), hashes)
	}
	id := uuid.NewString()
	if in.Receipt != nil {
		id = in.Receipt.ID
	}
	rule, err := json.Marshal(c.Prune)
	if err != nil {
		return Outcome{}, err
	}
	noted, err := t.change("INSERT INTO prunings (id, rule, jobs, bytes) VALUES (?,?,0,0) ON CONFLICT (id) DO NOTHING", id, string(rule))
	if err == nil && !noted {
		return Outcome{State: Rejected, Reason: "one prune in a file is enough"}, nil
	}
	return Outcome{State: Running, Reason: pruningWords, Jobs: []string{id}}, err
}

// Prunings returns the commands to prune that are not done yet, oldest first.
func (q *Queue) Prunings(ctx context.Context) ([]Pruning, error) {
	var found []Pruning
	err := q.read.each(ctx, "SELECT id, rule, jobs, bytes FROM prunings ORDER BY seq", nil, func(row scanner) error {
		var p Pruning
		var rule string
		if err := row.Scan(&p.ID, &rule, &p.Jobs, &p.Bytes); err != nil {
			return err
		}
		found = append(found, p)
		return json.Unmarshal([]byte(rule), &found[len(found)-1].Wish)
	})
	if err != nil {
		return nil, fmt.Errorf("reading what is to be pruned: %w", err)
	}
	return found, nil
}

// Pruned notes that a command to prune is done, and what came of it, in its
// receipt and as an event.
func (q *Queue) Pruned(ctx context.Context, id string, state State, words string) error {
	err := q.write(ctx, func(t *tx) error {
		was, err := t.change("DELETE FROM prunings WHERE id = ?", id)
		if err != nil || !was {
			return err
		}
		_, err = t.change("UPDATE receipts SET state = iif(state = 'RUNNING', ?, state), reason = replace(reason, ?, ?) WHERE id = ?",
			string(state), pruningWords, words, id)
		if err != nil {
			return err
		}
		return t.event(id, EventPrune, "", words)
	})
	if err != nil {
		return fmt.Errorf("noting that pruning is done: %w", err)
	}
	return nil
}

// pruneKeys reads each key that a command to prune may have.
var pruneKeys = map[string]func(*Wish, value) *Fault{
	"action":     func(*Wish, value) *Fault { return nil },
	"older_than": readOlderThan,
	"keep":       readKeep,
	"state":      readEndedState,
	"dry_run":    func(w *Wish, v value) (f *Fault) { w.DryRun, f = v.truth(); return f },
}

var pruneKeyNames = sortedKeys(pruneKeys)

func isPrune(p value) bool { return p.name == "action" && p.node.Value == string(Prune) }

// readPrune reads a document whose action is Prune.
func readPrune(pairs []value, at Position) (*Command, *Fault) {
	c := &Command{At: at, Action: Prune}
	for _, p := range pairs {
		if f := pruneKeys[p.name](&c.Prune, p); f != nil {
			return nil, f
		}
	}
	return c, nil
}

func readOlderThan(w *Wish, v value) *Fault {
	d, f := v.duration()
	if f == nil && d < 0 {
		f = v.wrong("0 or more", "")
	}
	w.OlderThan, w.Ruled = d, true
	return f
}

func readKeep(w *Wish, v value) *Fault {
	n, f := v.number(0, math.MaxInt32)
	w.Keep, w.Ruled = n, true
	return f
}

func readEndedState(w *Wish, v value) *Fault {
	word, f := v.word()
	if f != nil {
		return f
	}
	s, ok := ParseState(strings.ToUpper(word))
	if !ok || !s.Ended() {
		return v.wrong("a state of ended jobs", "such as FAILED")
	}
	w.State = s
	return nil
}
