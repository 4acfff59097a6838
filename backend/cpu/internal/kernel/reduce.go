package kernel

import (
	"math"
	"slices"
)

// sumLanes is the number of interleaved partial sums of a contiguous sum, the same in every set.
const sumLanes = 32

// Sum returns the sum of x in a fixed order: element i goes to partial sum i mod 32, and the
// partial sums are added pairwise (i with i+16, then i+8, …). The sum of nothing is 0. Bits are the
// same in every set. To sum in parts, cut at fixed places and add the parts in order.
func Sum[T float](s Set, x []T) T {
	var acc [sumLanes]T
	x = x[vectorSum(s, &acc, x):]
	for len(x) >= sumLanes {
		y := x[:sumLanes]
		for i := range acc {
			acc[i] += y[i]
		}
		x = x[sumLanes:]
	}
	for i, v := range x {
		acc[i] += v
	}
	for n := sumLanes / 2; n > 0; n /= 2 {
		for i := range n {
			acc[i] += acc[i+n]
		}
	}
	return acc[0]
}

// MaxOf returns the largest element of x: NaN if one is NaN, −∞ if there is none.
func MaxOf[T float](s Set, x []T) T {
	var acc [sumLanes]T
	m := T(math.Inf(-1))
	if n := vectorExtreme(s, 0, &acc, x); n > 0 {
		m, x = slices.Max(acc[:]), x[n:]
	}
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// MinOf returns the smallest element of x: NaN if one is NaN, +∞ if there is none.
func MinOf[T float](s Set, x []T) T {
	var acc [sumLanes]T
	m := T(math.Inf(1))
	if n := vectorExtreme(s, 1, &acc, x); n > 0 {
		m, x = slices.Min(acc[:]), x[n:]
	}
	for _, v := range x {
		m = min(m, v)
	}
	return m
}

// productOf multiplies x in four lanes, k ↦ lane k mod 4, so that no product waits for the one before.
func productOf[T float](x []T) T {
	lanes := [4]T{1, 1, 1, 1}
	for ; len(x) >= 4; x = x[4:] {
		lanes[0] *= x[0]
		lanes[1] *= x[1]
		lanes[2] *= x[2]
		lanes[3] *= x[3]
	}
	for k, v := range x {
		lanes[k] *= v
	}
	return lanes[0] * lanes[1] * (lanes[2] * lanes[3])
}

// ReduceOp is a reduction.
type ReduceOp uint8

// Reductions; see [Sum], [MaxOf] and [MinOf] for empty axes and NaN. The product of an empty axis is 1.
const (
	ReduceSum ReduceOp = iota
	ReduceMax
	ReduceMin
	ReduceProduct
)

// Reduce reduces the middle axis of x [outer, n, inner] to dst [outer, inner], for the outer
// indices lo ≤ i < hi. With inner = 1 a sum has the order of [Sum], otherwise it runs along n from
// first to last. Splitting outer changes no bits.
func Reduce[T float](s Set, op ReduceOp, lo, hi, n, inner int, dst, x []T) {
	need("dst", dst, hi*inner)
	need("x", x, hi*n*inner)
	for o := lo; o < hi; o++ {
		in := x[o*n*inner:][:n*inner]
		if inner == 1 {
			switch op {
			case ReduceSum:
				dst[o] = Sum(s, in)
			case ReduceMax:
				dst[o] = MaxOf(s, in)
			case ReduceMin:
				dst[o] = MinOf(s, in)
			case ReduceProduct:
				dst[o] = productOf(in)
			}
			continue
		}
		out := dst[o*inner:][:inner]
		if n == 0 {
			empty := [...]T{0, T(math.Inf(-1)), T(math.Inf(1)), 1}[op]
			for j := range out {
				out[j] = empty
			}
			continue
		}
		copy(out, in[:inner])
		if op == ReduceSum {
			AddRows(s, out, in[inner:], n-1)
			continue
		}
		combine := [...]BinaryOp{Add, Max, Min, Mul}[op]
		for k := 1; k < n; k++ {
			Binary(s, combine, out, out, in[k*inner:][:inner])
		}
	}
}

// AddRows adds the rows of x [rows, len(dst)] to dst in order. Bits are the same in every set.
func AddRows[T float](s Set, dst, x []T, rows int) {
	n := len(dst)
	need("x", x, rows*n)
	if vectorAddRows(s, dst, x, rows) {
		return
	}
	for r := range rows {
		for j, v := range x[r*n:][:n] {
			dst[j] += v
		}
	}
}

// finite reports whether no element of x is NaN or infinite.
func (s Set) finite(x []float32) bool {
	if finite, ok := vectorFinite(s, x); ok {
		return finite
	}
	var sum float32 // of products with zero, which are zero or NaN
	for _, v := range x {
		sum += v * 0
	}
	return sum == 0
}
