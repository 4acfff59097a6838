// Package elementwise holds plain Go loops for the elementwise operations of
// GoMLX graphs, for any dtype that the backend plans itself, and copies with
// strides. It knows nothing of graphs, buffers or workers, and imports GoMLX's
// operation names and dtypes only.
package elementwise
