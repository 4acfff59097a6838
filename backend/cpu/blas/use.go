package blas

import (
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// Gonum is the name of gonum's own products for [Use] and [InUse].
const Gonum = "gonum"

// Use makes gonum's float64 algebra, such as mat.Dense.Mul, compute on the kernels of a set: avx2
// or avx512; "" for the fastest that the processor has. [Gonum] and generic stand for gonum's own
// products, which are faster than kernels in plain Go. The error names the sets that exist. Call
// Use at the start of a program: nothing may compute at the same time.
func Use(set string) error {
	if set == "" {
		set = kernel.Best().String()
	}
	if set == Gonum || set == kernel.Generic.String() {
		blas64.Use(gonum.Implementation{})
		return nil
	}
	products, err := New(&Options{Set: set})
	if err == nil {
		blas64.Use(products)
	}
	return err
}

// InUse returns the argument of [Use] that gives the bits of the products that gonum's float64
// algebra computes now. It returns "" if they are neither this package's nor gonum's own.
func InUse() string {
	switch products := blas64.Implementation().(type) {
	case *Implementation:
		return products.set.String()
	case gonum.Implementation:
		return Gonum
	}
	return ""
}
