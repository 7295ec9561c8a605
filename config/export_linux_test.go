package config

// FileSystemKind names a file system by its magic.
var FileSystemKind = fileSystemKind
