// Package server is the author's side of a plugin. It serves things of the kinds of package core
// through the service of package wire.
//
// It may import core, wire, describe and transfer.
package server
