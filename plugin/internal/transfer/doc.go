// Package transfer moves arrays through the streams of package wire. An array is announced in a
// frame and then sent in chunks, so messages do not grow with the data. Both ends of a connection
// use it.
//
// It may import core, wire and gonum.
package transfer
