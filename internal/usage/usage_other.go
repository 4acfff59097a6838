//go:build !unix

package usage

import "time"

// CPU is unknown here.
func CPU() (own, children time.Duration, ok bool) { return 0, 0, false }

func maxRSS() int64 { return 0 }
