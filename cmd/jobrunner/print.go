package main

import (
	"encoding/json"
	"fmt"
	"io"

	"jobrunner/jobs"
)

// jobList is what the API answers with for a list.
type jobList struct {
	Jobs []*jobs.Job `json:"jobs"`
}

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
