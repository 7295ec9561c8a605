package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"jobrunner/jobs"
)

// jobList is what the API answers with for a list.
type jobList struct {
	Jobs []*jobs.Job `json:"jobs"`
}

// utc is a time that is written as in the API.
type utc struct{ time.Time }

// MarshalJSON gives the public form.
func (t utc) MarshalJSON() ([]byte, error) { return json.Marshal(instant(t.Time)) }

// printJSON prints a value as JSON for people and programs.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}
