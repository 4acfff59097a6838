// Package kernel is regression in the space of a kernel: ridge regression on features whose inner
// products are the kernel.
package kernel
