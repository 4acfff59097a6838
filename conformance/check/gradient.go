package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// precision is what a loss is held to that computes in numbers of some size. Gradients are compared
// with central differences (f(x+h) − f(x−h))/2h: with that h, and to within relative times the
// largest of the derivatives, and noise times 1 + |f|, which allows for the rounding of f divided
// by h. Results that are equal except for rounding may differ by rounding times 1 + the largest of
// them.
type precision struct {
	h, relative, noise, rounding float64
}

var (
	double = precision{h: 1e-5, relative: 1e-5, noise: 1e-9, rounding: rounding}
	// A loss that computes in float32 has a rounding of 2⁻²³ |f|, and h must be large enough to see
	// beyond it. Its results differ by some hundreds of that if sums are taken in another order.
	single = precision{h: 1e-2, relative: 2e-2, noise: 1e-4, rounding: 1e-4}
)

// withinPrecision holds results at views to double precision, and if they break it to that of the
// loss: single if its gradients there are not the central differences of its value to double
// precision, which the rounding of float32 never allows. It returns the precision that decided.
func (s *scoring) withinPrecision(ctx context.Context, v pair, hold func(precision) error) (precision, error) {
	broken := hold(double)
	if broken == nil {
		return double, nil
	}
	evaluate := func(v pair) (core.LossValue, error) { return s.evaluate(ctx, v) }
	at, err := evaluate(v.clone())
	if err != nil {
		return double, failed("Evaluate", err)
	}
	text, err := compareGradients(v, at, double, evaluate)
	if err != nil || text == "" {
		return double, cmp.Or(err, broken)
	}
	return single, hold(single)
}

// alike reports whether two results, of which the largest of the second has that modulus, are equal
// except for rounding.
func (p precision) alike(difference, largest float64) bool {
	return difference <= p.rounding*(1+largest)
}

func (s *scoring) checkGradients(ctx context.Context, n *notes) error {
	settings := []setting{{}}
	for _, v := range variations(s.loss.Describe(), s.o.Settings) {
		if _, number := v.value.(float64); !number {
			settings = append(settings, v)
		}
	}
	coarse := false
	for _, o := range settings {
		for _, z := range s.sizes() {
			which := fmt.Sprintf("for views of %d×%d", z.n, z.d)
			if o.name != "" {
				which += fmt.Sprintf(" and %s=%v", o.name, o.value)
			}
			float32s, err := s.checkGradient(ctx, s.views(z, "gradients"), o)
			if err != nil {
				return inCase(which, err)
			}
			coarse = coarse || float32s
		}
	}
	if coarse {
		n.addf("gradients equal differences of the value to the precision of float32 only: compute in float64 if you can")
	}
	return nil
}

// checkGradient compares the gradients at one pair of views. It reports whether they agree to float32's precision only.
func (s *scoring) checkGradient(ctx context.Context, v pair, o setting) (coarse bool, err error) {
	evaluate := func(v pair) (core.LossValue, error) {
		if o.name == "" {
			return s.evaluate(ctx, v)
		}
		return s.evaluateWith(ctx, v, o)
	}
	at, err := evaluate(v.clone())
	if err == nil {
		rows, columns := v.x.Dims()
		err = sound(at, size{rows, columns})
	}
	if err != nil {
		if o.name != "" && ctx.Err() == nil {
			return false, nil // the check of options tells
		}
		return false, failed("Evaluate", err)
	}
	fine, err := compareGradients(v, at, double, evaluate)
	if err != nil || fine == "" {
		return false, err
	}
	rough, err := compareGradients(v, at, single, evaluate)
	if err != nil {
		return false, err
	}
	if rough != "" {
		return false, wrong("derive the gradient anew: factors of n and 2, transposes and signs first", "%s", fine)
	}
	return true, nil
}

// compareGradients says where a gradient is not the central difference, or "". Views of many
// entries are compared in some.
func compareGradients(v pair, at core.LossValue, p precision,
	evaluate func(pair) (core.LossValue, error)) (string, error) {
	const most = 24 // entries of a view that are compared
	worst, text := 0.0, ""
	scale := matrixTable(at.GradX).largest() + matrixTable(at.GradY).largest()
	for _, side := range []struct {
		name     string
		of       func(pair) *mat.Dense
		gradient *mat.Dense
	}{
		{"GradX", func(v pair) *mat.Dense { return v.x }, at.GradX},
		{"GradY", func(v pair) *mat.Dense { return v.y }, at.GradY},
	} {
		n, d := side.gradient.Dims()
		stride := max(1, n*d/most)
		for entry := 0; entry < n*d; entry += stride {
			i, j := entry/d, (entry+entry/stride)%d
			moved := func(by float64) (float64, error) {
				w := v.clone()
				m := side.of(w)
				m.Set(i, j, m.At(i, j)+by)
				value, err := evaluate(w)
				return value.Value, failed("Evaluate", err)
			}
			above, err := moved(p.h)
			below, err2 := moved(-p.h)
			if err := errors.Join(err, err2); err != nil {
				return "", err
			}
			want, got := (above-below)/(2*p.h), side.gradient.At(i, j)
			limit := p.relative*math.Max(scale, math.Abs(want)) + p.noise*(1+math.Abs(at.Value))
			if excess := math.Abs(got-want) / limit; !(excess <= max(1, worst)) {
				worst = excess
				text = fmt.Sprintf(
					"%s at row %d, column %d is %.9g; the central difference of the value is %.9g, and they may differ by %.2g",
					side.name, i, j, got, want, limit)
			}
		}
	}
	return text, nil
}
