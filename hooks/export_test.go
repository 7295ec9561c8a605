package hooks

var (
	PauseAfter = pauseAfter
	RetryAfter = retryAfter
)

// NewOutput makes what takes the output of a command.
func NewOutput(log func(string)) *output { return &output{log: log} }

// Words are what is said of a command that has ended and printed all of o.
func (o *output) Words(end string) string {
	o.end()
	return o.after(end)
}
