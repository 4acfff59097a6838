package dpnets

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/nn"
)

// view is one of the two views of a batch, and the gradient of the loss by it, n×d.
type view struct {
	*nn.Basis
	features   *mat.Dense // n×d, centred if asked for
	covariance *mat.Dense // d×d
	gradient   *mat.Dense
}

func newView(m mat.Matrix, centre bool) *view {
	n, d := m.Dims()
	v := &view{nn.NewBasis(m, centre, 0), mat.DenseCopyOf(m), &mat.Dense{}, mat.NewDense(n, d, nil)}
	if centre {
		for j := range d {
			mean := 0.0
			for i := range n {
				mean += m.At(i, j) / float64(n)
			}
			for i := range n {
				v.features.Set(i, j, m.At(i, j)-mean)
			}
		}
	}
	v.covariance.Mul(v.features.T(), v.features)
	v.covariance.Scale(1/float64(n), v.covariance)
	return v
}

// add adds factor·m to the gradient.
func (v *view) add(factor float64, m *mat.Dense) {
	var scaled mat.Dense
	scaled.Scale(factor, m)
	v.gradient.Add(v.gradient, &scaled)
}

// addCorrelations returns the sum of the squared canonical correlations, and subtracts its gradient.
func addCorrelations(u, v *view) float64 {
	if len(u.Kept) == 0 || len(v.Kept) == 0 {
		return 0
	}
	var k, slope mat.Dense
	k.Mul(u.Q.T(), v.Q)
	slope.Scale(2, &k)
	u.Gradient(u.gradient, v.Q, &k, &slope)
	v.Gradient(v.gradient, u.Q, k.T(), slope.T())
	norm := mat.Norm(&k, 2)
	return norm * norm
}

// addRelaxed returns the relaxed score without metric distortion, and subtracts its gradient. The score
// is 0 if one of the views is.
func addRelaxed(u, v *view) float64 {
	if len(u.Kept) == 0 || len(v.Kept) == 0 {
		return 0
	}
	n, _ := u.gradient.Dims()
	var cross mat.Dense
	cross.Mul(u.features.T(), v.features)
	cross.Scale(1/float64(n), &cross)
	forU, slopeU := leading(u.covariance)
	forV, slopeV := leading(v.covariance)
	norm := mat.Norm(&cross, 2)
	score := norm / forU * (norm / forV)

	part := func(view *view, features mat.Matrix, by mat.Matrix, factor float64) {
		var g mat.Dense
		g.Mul(features, by)
		view.add(factor*2/float64(n), &g)
	}
	part(u, v.features, cross.T(), -1/forU/forV)
	part(v, u.features, &cross, -1/forU/forV)
	part(u, u.features, slopeU, score/forU)
	part(v, v.features, slopeV, score/forV)
	return score
}

// leading returns the largest eigenvalue of a covariance, and its derivative by the covariance; NaN and
// zeros if an entry is not finite.
func leading(covariance *mat.Dense) (float64, *mat.Dense) {
	d, _ := covariance.Dims()
	if norm := mat.Norm(covariance, 1); math.IsInf(norm, 0) || math.IsNaN(norm) {
		return math.NaN(), mat.NewDense(d, d, nil)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(mat.NewSymDense(d, covariance.RawMatrix().Data), true) {
		panic("the eigendecomposition did not converge")
	}
	values := eigen.Values(nil) // ascending
	most := values[d-1]
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	slope, sum := mat.NewDense(d, d, nil), 0.0
	for i, value := range values {
		if value <= 0 {
			continue
		}
		weight := math.Exp(math.Log(value/most) * (1 << power))
		sum += weight
		slope.RankOne(slope, weight, vectors.ColView(i), vectors.ColView(i))
	}
	slope.Scale(1/sum, slope)
	return most, slope
}

// addDistortion returns the metric distortion of the view, and adds factor times its gradient.
func (v *view) addDistortion(factor float64) float64 {
	n, d := v.gradient.Dims()
	slope := mat.NewDense(n, d, nil)
	logs := v.LogDeterminant(slope) - float64(len(v.Kept))*math.Log(float64(n)) +
		2*float64(len(v.Left))*math.Log(nn.LeastDistance(d))
	norm := mat.Norm(v.covariance, 2)
	v.add(-factor/float64(d), slope)
	slope.Mul(v.features, v.covariance)
	v.add(factor/float64(d)*4/float64(n), slope)
	v.add(-factor/float64(d)*2/float64(n), v.features)
	return (norm*norm - mat.Trace(v.covariance) - logs) / float64(d)
}
