// Package stats measures how far scores can be trusted: intervals, success rates and ranks.
//
// A method is run at several seeds, and every run is judged on the same test snapshots. So its
// scores are a table [seed, test snapshot]. A [core.Measure] says what the scores are. They are
// shares, such as 1 for a right prediction or the share of steps that are right; or they are errors
// and other numbers from 0 on. Both axes of the table are samples, of all possible seeds and of all
// possible snapshots. The quantity of interest is the expected score over both.
//
//   - scale.go distinguishes shares from errors, and scores.go checks a table.
//   - variance.go splits the variance of a table's mean into three parts: seeds, snapshots, and the
//     rest.
//   - estimate.go gives the mean and the interval of a method's scores. interval.go makes the
//     interval of shares, and errors.go that of errors. blocks.go finds the blocks of snapshots
//     that depend on one another.
//   - proportion.go gives the interval of a success rate.
//   - compare.go tests the difference of two methods, ratio.go tests the ratio of their errors, and
//     rank.go ranks many methods.
//
// docs/statistics.md explains the choices and how well the intervals cover. Functions keep no
// state, do not change their arguments, and may run concurrently. stats may import core and gonum.
// It does not know files or figures.
package stats
