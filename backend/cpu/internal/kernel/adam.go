package kernel

import "math"

// AdamConfig holds what one step of AdamW needs, in the notation of Kingma and Ba (Adam: a method for stochastic
// optimization, 2015) and Loshchilov and Hutter (Decoupled weight decay regularization, 2019).
type AdamConfig struct {
	LearningRate float32
	Beta1, Beta2 float32
	Debias1      float32 // 1/(1−β₁ᵗ)
	Debias2      float32 // 1/(1−β₂ᵗ)
	Epsilon      float32
	WeightDecay  float32 // zero: none
}

// AdamW takes one step: for every element
//
//	m′ = β₁m + (1−β₁)g,  v′ = β₂v + (1−β₂)g²,
//	p′ = p − (η·(m′·Debias1) / (√(v′·Debias2) + ε) + η·(λp)),
//
// each operation rounded to float32 in the order in which GoMLX's optimizer.Adam does them, so that the bits are those of the
// graph. Outputs may be the inputs of the same name. All slices have len(p) elements. Splitting changes no bits.
func (s Set) AdamW(c *AdamConfig, pOut, mOut, vOut, p, m, v, g []float32) {
	n := len(p)
	for _, x := range [][]float32{pOut, mOut, vOut, m, v, g} {
		need("a slice of AdamW", x, n)
	}
	if vectorAdamW(s, c, pOut, mOut, vOut, p, m, v, g) {
		return
	}
	for i := range n {
		m1 := float32(c.Beta1*m[i]) + float32((1-c.Beta1)*g[i])
		v1 := float32(c.Beta2*v[i]) + float32((1-c.Beta2)*float32(g[i]*g[i]))
		step := float32(c.LearningRate*float32(m1*c.Debias1)) / (float32(math.Sqrt(float64(float32(v1*c.Debias2)))) + c.Epsilon)
		if c.WeightDecay != 0 {
			step += float32(c.LearningRate * float32(p[i]*c.WeightDecay))
		}
		pOut[i], mOut[i], vOut[i] = p[i]-step, m1, v1
	}
}
