package edmd

import (
	"math"
	"math/big"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/linalg"
)

// monomials are all products of coordinates to a total degree, by degree, the constant first. Each
// but that is an earlier one times a coordinate.
type monomials []struct{ earlier, coordinate int }

// monomialCount is the number of monomials to that degree in d coordinates.
func monomialCount(d, degree int) *big.Int {
	return new(big.Int).Binomial(int64(d)+int64(degree), int64(degree))
}

func newMonomials(d, degree int) monomials {
	m := make(monomials, 1, monomialCount(d, degree).Int64())
	for from := 0; degree > 0; degree-- {
		end := len(m)
		for i := from; i < end; i++ { // those of the degree before
			for j := m[i].coordinate; j < d; j++ {
				m = append(m, struct{ earlier, coordinate int }{i, j})
			}
		}
		from = end
	}
	return m
}

func (m monomials) number() int { return len(m) }

func (m monomials) evaluate(dst, z *mat.Dense) {
	n, _ := dst.Dims()
	for i := range n {
		row, x := dst.RawRowView(i), z.RawRowView(i)
		row[0] = 1
		for k := 1; k < len(m); k++ {
			row[k] = row[m[k].earlier] * x[m[k].coordinate]
		}
	}
}

// fourierSeries are 1, and cos 2πkx and sin 2πkx of each coordinate x for k from 1 on, coordinate by
// coordinate.
type fourierSeries struct{ frequencies, dim int }

func (f fourierSeries) number() int { return 1 + 2*f.frequencies*f.dim }

func (f fourierSeries) evaluate(dst, z *mat.Dense) {
	n, _ := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		row[0] = 1
		at := 1
		for _, x := range z.RawRowView(i) {
			for k := 1; k <= f.frequencies; k++ {
				row[at+1], row[at] = math.Sincos(2 * math.Pi * float64(k) * (x - math.Floor(x)))
				at += 2
			}
		}
	}
}

// randomFeatures are 1, and √(2/m)·cos(ωx + b) for m frequencies ω and phases b.
type randomFeatures struct {
	frequencies *mat.Dense // transposed: d×m
	phases      []float64
}

func newRandomFeatures(frequencies *mat.Dense, phases []float64) randomFeatures {
	return randomFeatures{mat.DenseCopyOf(frequencies.T()), phases}
}

// drawFrequencies draws m frequencies of d coordinates, those of the Gaussian kernel of that length,
// and m phases.
func drawFrequencies(m, d int, length float64, random *rand.Rand) (*mat.Dense, []float64) {
	frequencies, phases := mat.NewDense(m, d, nil), make([]float64, m)
	for i := range m {
		row := frequencies.RawRowView(i)
		for j := range row {
			row[j] = random.NormFloat64() / length
		}
		phases[i] = 2 * math.Pi * random.Float64()
	}
	return frequencies, phases
}

func (f randomFeatures) number() int { return 1 + len(f.phases) }

func (f randomFeatures) evaluate(dst, z *mat.Dense) {
	angles := linalg.Product(z, f.frequencies)
	scale := math.Sqrt(2 / float64(len(f.phases)))
	n, _ := dst.Dims()
	for i := range n {
		row := dst.RawRowView(i)
		row[0] = 1
		for k, angle := range angles.RawRowView(i) {
			row[1+k] = scale * math.Cos(angle+f.phases[k])
		}
	}
}

// radialFunctions are 1, and exp(−‖x − c‖²/2l²)/√m for m centres c and a length l.
type radialFunctions struct {
	centres *mat.Dense // transposed: d×m
	squares []float64  // ‖c‖²
	length  float64
}

func newRadialFunctions(centres *mat.Dense, length float64) radialFunctions {
	m, _ := centres.Dims()
	f := radialFunctions{mat.DenseCopyOf(centres.T()), make([]float64, m), length}
	for k := range m {
		f.squares[k] = square(centres.RawRowView(k))
	}
	return f
}

func square(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return sum
}

func (f radialFunctions) number() int { return 1 + len(f.squares) }

func (f radialFunctions) evaluate(dst, z *mat.Dense) {
	products := linalg.Product(z, f.centres)
	scale := 1 / math.Sqrt(float64(len(f.squares)))
	n, _ := dst.Dims()
	for i := range n {
		row, x := dst.RawRowView(i), square(z.RawRowView(i))
		row[0] = 1
		for k, p := range products.RawRowView(i) {
			distance := max(0, x+f.squares[k]-2*p)
			row[1+k] = scale * math.Exp(-distance/(2*f.length*f.length))
		}
	}
}
