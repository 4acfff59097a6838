// Package results is what a benchmark leaves on disk: the folder of results, its layout and its rules.
//
// [Results] is the content of results.json. A [Store] reads and writes a folder, and checks everything in it
// before it uses it. [Merge] joins folders, and [Differences] says how two of them differ. [Store.Earlier]
// says which runs of an earlier command stay in a table.
//
// The package does not know methods and runs none. Package benchmark makes results, package verify makes
// them again, and package report shows them.
package results
