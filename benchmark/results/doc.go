// Package results describes what a benchmark leaves on disk: the folder of results, its layout and
// its rules.
//
// [Results] is the content of results.json. A [Store] reads and writes a folder, and does not trust
// anything in it that it has not checked. [Merge] joins folders, [Differences] lists how two
// folders differ, and [Store.Earlier] returns the runs of an earlier command that stay in a table.
//
// It does not know methods and runs none. Package benchmark makes results, package verify makes
// them again, and package report shows them.
package results
