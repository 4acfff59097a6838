// Package methods contains everything built in, in a registry ([Builtin]): the methods, the parts
// that methods are made of, and the oracle. Each has its own folder.
//
// The folders import core, nn, linalg and compose. methods imports the folders and registry.
package methods
