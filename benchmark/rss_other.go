//go:build !unix

package benchmark

// peakRSS is unknown here.
func peakRSS() int64 { return 0 }
