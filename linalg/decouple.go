package linalg

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// couplingLimit bounds ‖P‖ in the norm of Frobenius, if [I −P] are the left vectors of a block and
// [I 0] its right ones in orthonormal coordinates. Above it the parts of a sum are so much larger
// than the sum that the block takes in an eigenvalue.
const couplingLimit = 1e3

// cluster is a diagonal block of a matrix that was made block diagonal.
type cluster struct {
	from, size int          // its rows
	block      *mat.Dense   // size×size
	values     []complex128 // its eigenvalues without those of negative imaginary part, in the order of function order
}

// decoupling is a similarity that makes an n×n matrix M block diagonal: M = Σ V_c B_c W_cᵀ over the
// clusters c, with W_cᵀ V_c = I, and W_cᵀ V_d = 0 for the others d. V_c and W_c are columns of
// right and left.
type decoupling struct {
	right, left *mat.Dense
	clusters    []cluster // in the order of their first eigenvalues
}

// decouple makes m block diagonal, with blocks as small as couplingLimit allows (Bavely and
// Stewart, An algorithm for computing reducing subspaces by block diagonalization, SIAM J. Numer.
// Anal. 16, 1979). Eigenvalues that share a Jordan block, or nearly do, come into one block. ok is
// false if the QR algorithm does not converge.
func decouple(m *mat.Dense) (_ *decoupling, ok bool) {
	exponent := unitExponent(largestEntry(m))
	s, ok := newSchur(timesPowerOfTwo(m, -exponent))
	if !ok {
		return nil, false
	}
	sorted := order(s.values)
	places := make([]int, s.n) // of the eigenvalues in sorted
	for place, i := range sorted {
		places[i] = place
	}
	d := &decoupling{}
	inOrder := map[int][]int{} // the places of a cluster's eigenvalues, by its first row
	clusters, couplings := s.settle(s.gather())
	for _, c := range clusters {
		for _, i := range s.origin[c.from : c.from+c.size] {
			if imag(s.values[i]) >= 0 {
				inOrder[c.from] = append(inOrder[c.from], places[i])
			}
		}
		slices.Sort(inOrder[c.from])
		for _, place := range inOrder[c.from] {
			v := s.values[sorted[place]]
			c.values = append(c.values, complex(math.Ldexp(real(v), exponent), math.Ldexp(imag(v), exponent)))
		}
		c.block = timesPowerOfTwo(mat.DenseCopyOf(s.t.Slice(c.from, c.from+c.size, c.from, c.from+c.size)), exponent)
		d.clusters = append(d.clusters, c)
	}
	d.right, d.left = s.vectors(d.clusters, couplings)
	slices.SortFunc(d.clusters, func(a, b cluster) int { return inOrder[a.from][0] - inOrder[b.from][0] })
	return d, true
}

// gather reorders s so that the eigenvalues of each cluster are side by side, and returns where the
// clusters are.
func (s *schur) gather() []cluster {
	var clusters []cluster
	for from := 0; from < s.n; {
		end := from + s.width(from)
		for end < s.n {
			if _, ok := s.couple(from, end, couplingLimit); ok {
				break
			}
			end = s.move(s.nearest(from, end), end)
		}
		clusters = append(clusters, cluster{from: from, size: end - from})
		from = end
	}
	return clusters
}

// settle returns the P of [schur.couple] of each cluster but the last. The moves of a later cluster
// round the rows after an earlier one: where an eigenvalue there has become equal to one of its own,
// there is no P any more, and the earlier cluster takes in the one after it.
func (s *schur) settle(clusters []cluster) ([]cluster, []*mat.Dense) {
	const most = 1e150 // its square is finite
	var couplings []*mat.Dense
	for i := 0; i+1 < len(clusters); {
		p, ok := s.couple(clusters[i].from, clusters[i+1].from, most)
		if !ok {
			clusters[i].size += clusters[i+1].size
			clusters = slices.Delete(clusters, i+1, i+2)
			continue
		}
		couplings = append(couplings, p)
		i++
	}
	return clusters, couplings
}

// couple returns the P of T₁₁P − PT₂₂ = −T₁₂, for the rows from … end−1 of the trailing matrix and
// those after them. ok is false as soon as ‖P‖ is found to be above the limit.
func (s *schur) couple(from, end int, limit float64) (p *mat.Dense, ok bool) {
	p = mat.NewDense(end-from, s.n-end, nil)
	var squares float64
	for bottom := end; bottom > from; {
		top := bottom - s.widthBefore(bottom)
		for left := end; left < s.n; {
			right := left + s.widthAt(left)
			s.solve(p, from, end, top, bottom, left, right)
			for i := top; i < bottom; i++ {
				for j := left; j < right; j++ {
					squares += p.At(i-from, j-end) * p.At(i-from, j-end)
				}
			}
			if !(squares <= limit*limit) {
				return nil, false
			}
			left = right
		}
		bottom = top
	}
	return p, true
}

// solve computes rows top … bottom−1 and columns left … right−1 of T in p, when those below and to
// the left are known.
func (s *schur) solve(p *mat.Dense, from, end, top, bottom, left, right int) {
	var b, x [4]float64
	for i := top; i < bottom; i++ {
		for j := left; j < right; j++ {
			sum := -s.t.At(i, j)
			for k := bottom; k < end; k++ {
				sum -= s.t.At(i, k) * p.At(k-from, j-end)
			}
			for k := end; k < left; k++ {
				sum += p.At(i-from, k-end) * s.t.At(k, j)
			}
			b[2*(i-top)+j-left] = sum
		}
	}
	s.sylvester(top, bottom-top, left, right-left, &b, &x)
	for i := top; i < bottom; i++ {
		for j := left; j < right; j++ {
			p.Set(i-from, j-end, x[2*(i-top)+j-left])
		}
	}
}

// vectors returns the right and left vectors of the clusters, which lie along the diagonal of T in
// turn. couplings are those of [schur.settle].
func (s *schur) vectors(clusters []cluster, couplings []*mat.Dense) (right, left *mat.Dense) {
	right, left = mat.DenseCopyOf(s.z), mat.DenseCopyOf(s.z)
	for i, p := range couplings {
		c := clusters[i]
		end := c.from + c.size
		var shift mat.Dense
		rest := columns(right, end, s.n)
		shift.Mul(columns(right, c.from, end), p)
		rest.Add(rest, &shift)
		shift.Reset()
		own := columns(left, c.from, end)
		shift.Mul(columns(s.z, end, s.n), p.T())
		own.Sub(own, &shift)
	}
	s.unbalance(right, left)
	return right, left
}
