// Package benchmark is the harness: it takes methods through the identical multi-step evaluation on a task, judged by
// one oracle, and keeps what it finds on disk.
//
// [Run] executes a [Plan]: every method, at every seed, is fitted to the training data and rolled out over the test
// snapshots. Each finished run is a pair of files (see [results.Store]) written atomically as it finishes; results.json
// joins them. Everything that shows results works from these files alone (package report).
//
// It imports package core and knows no method, no dataset and no plugin.
package benchmark
