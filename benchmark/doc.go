// Package benchmark is the harness. It evaluates all methods in the same way over many steps of a
// task, with one oracle as the judge, and keeps the results on disk.
//
// [Run] executes a [Plan]: every method, at every seed, is fitted to the training data and rolled
// out over the test snapshots. Each finished run is a pair of files (see [results.Store]), written
// atomically as soon as the run is finished. results.json joins the runs. Everything that shows
// results needs only these files (package report).
//
// It imports package core, and knows no method, dataset or plugin.
package benchmark
