package config

// Parse reads a file's bytes without the file.
var Parse = parse
