package config

// tty reads whether jobs get a pseudo-terminal.
func (d *decoder) tty(dst *bool) func(value) {
	return func(v value) {
		d.truth(dst)(v)
		if message, hint := noTerminals(); *dst && d.serving && message != "" {
			d.fault(v, message, hint)
		}
	}
}
