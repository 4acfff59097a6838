// Package methods holds what is built in, in a registry ([Builtin]): the methods, the parts that
// methods are made of, and the oracle, one folder each.
//
// The folders import core, nn, linalg and compose; methods imports them and registry.
package methods
