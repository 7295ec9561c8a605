package hooks

var (
	PauseAfter = pauseAfter
	RetryAfter = retryAfter
)
