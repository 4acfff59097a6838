// Package stats says how far scores can be trusted: intervals, success rates and ranks.
//
// A method is run at several seeds, and every run is judged on the same test snapshots. Its scores are a table [seed,
// test snapshot]. A [core.Measure] says what they are: shares, such as 1 where a prediction is right or the share of
// steps at which it is, or errors and other numbers from 0 on. Both ways of the table are samples, of all seeds and of
// all snapshots of the kind, and what is asked for is the expected score over both.
//
//   - scale.go tells shares from errors, and scores.go checks a table;
//   - variance.go takes the variance of a table's mean apart: seeds, snapshots, the rest;
//   - estimate.go gives mean and interval of the scores of a method, interval.go that interval of shares,
//     errors.go that of errors, and blocks.go the blocks of snapshots that depend on one another;
//   - proportion.go gives the interval of a rate of success;
//   - compare.go tests the difference of two methods, ratio.go the ratio of their errors, and rank.go ranks many.
//
// docs/statistics.md has the choices and how well the intervals cover. Functions keep nothing, change none of their
// arguments and may run concurrently. stats may import core and gonum; it knows nothing of files or figures.
package stats
