// Package stats says how far scores can be trusted: intervals, success rates and ranks.
//
// A method is run at several seeds, and every run is judged on the same test snapshots. Its scores are a table [seed,
// test snapshot]. A [core.Measure] says what they are. They are shares, such as 1 for a right prediction, or the share
// of steps that are right. Or they are errors and other numbers from 0 on. Rows are a sample of all seeds, and columns
// of all snapshots of this kind. The estimate is the expected score over both.
//
//   - scale.go distinguishes shares from errors, and scores.go checks a table;
//   - variance.go splits the variance of a table's mean into seeds, snapshots and the rest;
//   - estimate.go gives mean and interval of a method's scores: interval.go the interval of shares,
//     errors.go the interval of errors, and blocks.go the blocks of snapshots that depend on one another;
//   - proportion.go gives the interval of a success rate;
//   - compare.go tests the difference of two methods, ratio.go the ratio of their errors, and rank.go ranks many.
//
// docs/statistics.md has the choices and how well the intervals cover. Functions keep nothing, change none of their
// arguments and may run concurrently. stats may import core and gonum; it knows nothing of files or figures.
package stats
