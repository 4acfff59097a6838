// Package registry holds a named, validated set for each kind of thing ([core.Kind]) that koopbench
// puts together.
//
// A [Registry] is a value: the command line fills one from the built-ins and the plugins, a third
// party's binary from its own things, a test from whatever it needs. Nothing registers itself. Each
// thing gets a guard around it ([core.Guard]), so that whoever takes one from a registry, and
// whoever wrote it, need not check what the guard does.
//
// registry imports core only.
package registry
