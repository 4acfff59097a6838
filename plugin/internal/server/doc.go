// Package server is the author's side of a plugin: it serves things of the six kinds by the service of package wire.
//
// It may import core, wire, describe and transfer.
package server
