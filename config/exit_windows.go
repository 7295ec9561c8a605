package config

import "math"

// maxExitStatus is the largest exit status that a process can have.
const maxExitStatus = math.MaxUint32
