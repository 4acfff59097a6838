// Package registry holds named, validated sets of the five kinds of things that koopbench puts together: methods,
// embedders, evolution operators, losses and oracles.
//
// A [Registry] is a value: the command line fills one from the built-ins and the plugins, a third party's binary from
// its own methods, a test from whatever it needs. Nothing registers itself. registry may import core only.
package registry
