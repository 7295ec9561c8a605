package jobs_test

import "testing"

func fillDisk(t *testing.T, _ string) { t.Fatal("no such child here") }

func failFsync(t *testing.T, _ string) { t.Fatal("no such child here") }
