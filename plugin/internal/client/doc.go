// Package client is the host's side of a plugin: stand-ins for the things that it serves, which are the six kinds of package core.
//
// It may import core, wire, describe and transfer.
package client
