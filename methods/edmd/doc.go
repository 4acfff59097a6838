// Package edmd is extended dynamic mode decomposition: ridge regression on a dictionary of functions
// of the snapshot.
package edmd
