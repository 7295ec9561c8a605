package runner

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// roles are what the test binary does when it is executed as
// "test-binary role <name> <args…>": the jobs of these tests.
var roles = map[string]func(args []string){}

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "supervise":
		if err := Supervise(context.Background(), os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) == 3 && os.Args[1] == RelayVerb:
		if err := Relay(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case len(os.Args) >= 3 && os.Args[1] == "role":
		run := roles[os.Args[2]]
		if run == nil {
			fmt.Fprintln(os.Stderr, "no such role", os.Args[2])
			os.Exit(99)
		}
		run(os.Args[3:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}
