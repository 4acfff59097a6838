// Package elementwise contains plain Go loops for the elementwise operations of GoMLX graphs, for
// every dtype that the backend plans itself, and strided copies. It does not know graphs, buffers
// or workers. It imports only GoMLX's operation names and dtypes.
package elementwise
