// Package process is what simulated tasks share: their options, the cut into parts, delays, the starts of
// roll-outs, and the error of a prediction.
package process
