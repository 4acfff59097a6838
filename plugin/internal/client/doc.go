// Package client is the host's side of a plugin. It has stand-ins, of the kinds of package core,
// for the things that the plugin serves.
//
// It may import core, wire, describe and transfer.
package client
