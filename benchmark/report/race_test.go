//go:build race

package report

// patience is how many times as long something may take while the machine is busy with other tests, here under the race detector.
const patience = 15
