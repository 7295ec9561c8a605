package jobs

// May gives nil: no job runs as another user here.
func (a *Account) May(string, uint32) error { return nil }
