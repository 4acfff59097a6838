//go:build xla

package methods_test

import _ "github.com/gomlx/go-xla/compute/xla" // a backend for benchmarks: GOMLX_BACKEND=xla:/path/to/plugin.so
