// Package results is what a benchmark leaves on disk: the folder of results, its layout and its rules.
//
// [Results] is the content of results.json. A [Store] reads and writes a folder, and trusts nothing in it
// that it has not checked. [Merge] joins folders, [Differences] says in what two of them are not alike,
// and [Store.Earlier] what of an earlier command stays in a table.
//
// It knows nothing of methods, and runs none: package benchmark makes results, package verify makes them
// again, and package report shows them.
package results
