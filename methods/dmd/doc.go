// Package dmd is dynamic mode decomposition: least squares on the leading principal directions of
// the snapshots.
package dmd
