package linearsystem

import (
	"fmt"
	"math"
	"math/cmplx"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/tasks/process"
)

// system is A by its eigenvalues, conjugates one after the other: a real one multiplies its number of z,
// and a pair turns the two numbers of z that stand in its places.
type system struct{ values []complex128 }

const most = .9999 // modulus of an eigenvalue

// parse reads eigenvalues. The error is [core.ErrOption].
func parse(text string) (a system, err error) {
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		size, angle, pair := strings.Cut(word, "@")
		modulus, err := strconv.ParseFloat(size, 64)
		if err != nil || !foreign.Decimal(word) || !(math.Abs(modulus) <= most) {
			return a, fmt.Errorf("%w: %q in %s=%s; give numbers, or modulus@degrees for a pair, with a modulus of at most %v",
				core.ErrOption, word, valueOption, text, most)
		}
		if !pair {
			a.values = append(a.values, complex(modulus, 0))
			continue
		}
		degrees, err := strconv.ParseFloat(angle, 64)
		if err != nil || !(modulus > 0 && degrees > 0 && degrees < 180) {
			return a, fmt.Errorf("%w: %q in %s=%s; a pair needs a modulus above 0 and degrees between 0 and 180",
				core.ErrOption, word, valueOption, text)
		}
		z := cmplx.Rect(modulus, degrees*math.Pi/180)
		a.values = append(a.values, z, cmplx.Conj(z))
	}
	if len(a.values) > outside {
		return a, fmt.Errorf("%w: %d eigenvalues in %s=%s; a pair counts as two, and there are at most %d", core.ErrOption,
			len(a.values), valueOption, text, outside)
	}
	return a, nil
}

// move multiplies z by A.
func (a system) move(z []float64) {
	for i, v := range a.values {
		switch {
		case imag(v) == 0:
			z[i] *= real(v)
		case imag(v) > 0:
			z[i], z[i+1] = real(v)*z[i]-imag(v)*z[i+1], imag(v)*z[i]+real(v)*z[i+1]
		}
	}
}

// eigenfunction is that of the i-th eigenvalue at z.
func (a system) eigenfunction(i int, z []float64) complex128 {
	switch v := a.values[i]; {
	case imag(v) > 0:
		return complex(z[i], z[i+1])
	case imag(v) < 0:
		return complex(z[i-1], -z[i])
	default:
		return complex(z[i], 0)
	}
}

// product is one of powers of eigenvalues.
type product struct {
	value  complex128
	last   int // index of its last factor, factors being in the order of the eigenvalues
	degree int // number of its factors
}

// products are the n largest, 1 first.
func (a system) products(n int) []product {
	var found []product
	open := []product{{1, 0, 0}} // not found yet; what is not in it is a multiple of what is
	for len(found) < n {
		next := 0
		for i := range open {
			if process.Descending(open[i].value, open[next].value) < 0 {
				next = i
			}
		}
		p := open[next]
		open[next] = open[len(open)-1]
		open = open[:len(open)-1]
		found = append(found, p)
		for i := p.last; i < len(a.values); i++ {
			open = append(open, product{p.value * a.values[i], i, p.degree + 1})
		}
	}
	return found
}

// apart is the largest number of first products up to n all of which are larger than the others, and at
// least 1.
func apart(all []product, n int) int {
	if n >= len(all) {
		return len(all)
	}
	const rounding = 1e-9
	for n > 1 && cmplx.Abs(all[n-1].value) <= cmplx.Abs(all[n].value)*(1+rounding) {
		n--
	}
	return n
}

// simple reports whether no other product has the value of product k.
func simple(all []product, k int) bool {
	for i, p := range all {
		if i != k && cmplx.Abs(p.value-all[k].value) < 1e-9 {
			return false
		}
	}
	return true
}
