package jobs

// Offer is room for jobs that come in: one that finds a place free begins in the
// transaction that takes it in, and so costs one commit. Its functions are called
// by the goroutine that writes; they must not use the Queue, and not wait.
type Offer struct {
	// Choose gets what is PENDING once the jobs have come in, and says which of it
	// to start.
	Choose func(NextFunc) []Start
	// Begun is called once after each Choose that chose any: with the jobs that
	// were begun (see Begin), or with the error of the transaction, which may then
	// have worked all the same.
	Begun func([]*Job, error)
}

// Offer makes an offer, in place of the one before; nil takes that back.
func (q *Queue) Offer(o *Offer) { q.w.offer.Store(o) }

// take begins jobs in a transaction that has taken some in. settle is to be
// called with what became of the transaction, whether take fails or not.
func (o *Offer) take(t *tx) (settle func(error), err error) {
	nothing := func(error) {}
	if o == nil || t.added == 0 {
		return nothing, nil
	}
	read := map[string]*Job{}
	starts := o.Choose(t.nextFunc(read))
	if len(starts) == 0 {
		return nothing, nil
	}
	begun, err := t.begin(starts, read)
	return func(err error) {
		if err != nil {
			begun = nil
		}
		o.Begun(begun, err)
	}, err
}

// nextFunc is Next in the transaction; what it reads is kept in read, by id.
func (t *tx) nextFunc(read map[string]*Job) NextFunc {
	return func(room map[string]int, limit int) ([]*Job, error) {
		found, err := next(t.each, room, limit)
		for _, j := range found {
			read[j.ID] = j
		}
		return found, err
	}
}
