// Package broken holds things of every kind that each break one rule of their contract and keep all
// others, and a correct thing of every kind that they are made from. With them the conformance
// checks are tested: each check must fail for what breaks its rule, and for nothing else.
//
// It imports core, linalg and package check.
package broken
