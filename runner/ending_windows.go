package runner

// signalNumber is 0: no signal ends a process here.
func signalNumber(string) int { return 0 }
