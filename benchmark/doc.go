// Package benchmark is the harness: it takes methods through the identical multi-step evaluation on a task, judged by one
// oracle, and keeps what it finds on disk.
//
// [Run] executes a [Plan]: every method, at every seed, is fitted to the training data and rolled out over the test
// snapshots. Each finished run is a pair of files (see [Store]) written atomically as it finishes; results.json joins
// them. Everything that shows results works from these files alone (package benchmark/report).
//
// benchmark may import core, dataset and benchmark/stats; it never imports methods, registry or plugin.
package benchmark
