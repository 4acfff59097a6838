// Package linear is the linear baseline: reduced-rank ridge regression on standardised pixels.
package linear
