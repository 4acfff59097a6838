// Package registry holds a named, validated set for each kind of thing ([core.Kind]) that koopbench puts together.
//
// A [Registry] is a value: the command line fills one from the built-ins and the plugins, a third party's binary from
// its own methods, a test from whatever it needs. Nothing registers itself. registry may import core only.
package registry
