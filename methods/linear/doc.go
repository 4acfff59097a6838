// Package linear is the linear baseline: reduced-rank ridge regression on the standardised
// values of the snapshot.
package linear
