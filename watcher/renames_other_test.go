//go:build !linux

package watcher

const tellsRenames = false
