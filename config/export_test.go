package config

// Parse reads a file's bytes without the file, at start.
func Parse(path string, data []byte) (*Config, error) { return parse(path, data, nil, false) }
