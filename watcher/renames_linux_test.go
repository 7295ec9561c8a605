package watcher

const tellsRenames = true
