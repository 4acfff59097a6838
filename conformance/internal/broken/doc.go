// Package broken contains things of every kind that each break one rule of their contract and keep
// all others. It also has a correct thing of every kind, from which they are made. They test the
// conformance checks: each check must fail for things that break its rule, and for no other thing.
//
// It imports core, linalg and package check.
package broken
