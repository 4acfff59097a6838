// Package process contains what simulated tasks share: their options, the split into parts, delays,
// the starts of roll-outs, and the error of a prediction.
package process
