// Package registry holds a set of named, validated things for each kind ([core.Kind]) that
// koopbench puts together.
//
// A [Registry] is a value. The command line fills one from the built-in things and the plugins, a
// third party's program fills one from its own things, and a test from whatever it needs. Nothing
// registers itself. Each thing gets a guard around it ([core.Guard]). So neither its author nor its
// user needs to check what the guard checks.
//
// registry imports only core.
package registry
