package elementwise

import "unsafe"

// Strided is a view of an array: the element at index (i0, i1, …) lies at
// Offset + Σ Strides[k]·ik, in elements. A stride of zero repeats, a negative
// one goes backwards. Elements take Size bytes: 1, 2, 4, 8 or 16.
type Strided struct {
	Dims, Strides []int
	Offset, Size  int
}

// Collapse returns the same view with as few dimensions as possible.
func (s Strided) Collapse() Strided {
	out := Strided{Offset: s.Offset, Size: s.Size}
	for i, d := range s.Dims {
		if d == 1 {
			continue
		}
		if last := len(out.Dims) - 1; last >= 0 && out.Strides[last] == s.Strides[i]*d {
			out.Dims[last] *= d
			out.Strides[last] = s.Strides[i]
			continue
		}
		out.Dims = append(out.Dims, d)
		out.Strides = append(out.Strides, s.Strides[i])
	}
	if len(out.Dims) == 0 {
		out.Dims, out.Strides = []int{1}, []int{1}
	}
	return out
}

// Contiguous reports whether a collapsed view is its array's elements in order.
func (s *Strided) Contiguous() bool { return len(s.Dims) == 1 && s.Strides[0] == 1 && s.Offset == 0 }

const maxRank = 16

// Gather copies elements start ≤ i < start+n of the view, in row-major order,
// to dst. The view is collapsed and has at most 16 dimensions.
func (s *Strided) Gather(dst, src unsafe.Pointer, start, n int) {
	switch s.Size {
	case 1:
		walk(s, of[uint8](dst, n), (*uint8)(src), start, false)
	case 2:
		walk(s, of[uint16](dst, n), (*uint16)(src), start, false)
	case 4:
		walk(s, of[uint32](dst, n), (*uint32)(src), start, false)
	case 8:
		walk(s, of[uint64](dst, n), (*uint64)(src), start, false)
	default:
		walk(s, of[[2]uint64](dst, n), (*[2]uint64)(src), start, false)
	}
}

// Scatter copies n elements from src to elements start ≤ i < start+n of the
// view of dst.
func (s *Strided) Scatter(dst, src unsafe.Pointer, start, n int) {
	switch s.Size {
	case 1:
		walk(s, of[uint8](src, n), (*uint8)(dst), start, true)
	case 2:
		walk(s, of[uint16](src, n), (*uint16)(dst), start, true)
	case 4:
		walk(s, of[uint32](src, n), (*uint32)(dst), start, true)
	case 8:
		walk(s, of[uint64](src, n), (*uint64)(dst), start, true)
	default:
		walk(s, of[[2]uint64](src, n), (*[2]uint64)(dst), start, true)
	}
}

// shortRun is the length of rows up to which walk takes two dimensions at once.
const shortRun = 16

// shortRows moves rows of inner elements between dense and memory at p;
// strides are in bytes.
func shortRows[T any](dense []T, p unsafe.Pointer, inner, stride, rowStride int, out bool) {
	for row := 0; len(dense) >= inner; row += rowStride {
		for i := range dense[:inner] {
			q := (*T)(unsafe.Add(p, row+i*stride))
			if out {
				*q = dense[i]
			} else {
				dense[i] = *q
			}
		}
		dense = dense[inner:]
	}
}

// walk moves elements between a dense slice and a view, from view to slice or,
// with out, from slice to view.
func walk[T any](s *Strided, dense []T, base *T, start int, out bool) {
	size := int(unsafe.Sizeof(*base))
	last := len(s.Dims) - 1
	var index [maxRank]int
	at, rest := s.Offset, start
	for k := last; k >= 0; k-- {
		index[k] = rest % s.Dims[k]
		rest /= s.Dims[k]
		at += index[k] * s.Strides[k]
	}
	inner, stride := s.Dims[last], s.Strides[last]
	for len(dense) > 0 {
		if last > 0 && inner <= shortRun && index[last] == 0 && len(dense) >= inner {
			// Short rows: two dimensions at a time.
			rows := min(s.Dims[last-1]-index[last-1], len(dense)/inner)
			shortRows(dense[:rows*inner], unsafe.Add(unsafe.Pointer(base), at*size), inner, stride*size, s.Strides[last-1]*size,
				out)
			dense = dense[rows*inner:]
			at += rows * s.Strides[last-1]
			index[last-1] += rows
			for k := last - 1; k > 0 && index[k] == s.Dims[k]; k-- {
				at += s.Strides[k-1] - s.Dims[k]*s.Strides[k]
				index[k] = 0
				index[k-1]++
			}
			continue
		}
		run := min(inner-index[last], len(dense))
		p := unsafe.Add(unsafe.Pointer(base), at*size)
		switch {
		case stride == 1 && out:
			copy(of[T](p, run), dense)
		case stride == 1:
			copy(dense[:run], of[T](p, run))
		case stride == 0 && !out:
			d := dense[:run]
			d[0] = *(*T)(p)
			for k := 1; k < run; k *= 2 {
				copy(d[k:], d[:k])
			}
		case out:
			for i, v := range dense[:run] {
				*(*T)(unsafe.Add(p, i*stride*size)) = v
			}
		default:
			d := dense[:run]
			for i := range d {
				d[i] = *(*T)(unsafe.Add(p, i*stride*size))
			}
		}
		dense = dense[run:]
		at += run * stride
		index[last] += run
		for k := last; k > 0 && index[k] == s.Dims[k]; k-- {
			at += s.Strides[k-1] - s.Dims[k]*s.Strides[k]
			index[k] = 0
			index[k-1]++
		}
	}
}
