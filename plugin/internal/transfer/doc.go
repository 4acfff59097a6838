// Package transfer moves arrays through the streams of package wire: announced in a frame, then
// chunk by chunk, so that no message grows with the data. Both ends of a connection use it.
//
// It may import core, wire and gonum.
package transfer
