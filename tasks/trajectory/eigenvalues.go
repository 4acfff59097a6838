package trajectory

import (
	"fmt"
	"math/cmplx"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/tasks/process"
)

// roundedAway is how far an eigenvalue may be from where it must be: users write few digits.
const roundedAway = 1e-3

// parseEigenvalues reads eigenvalues over one row, and returns those over the lag, the largest first; nil for none. 1,
// the eigenvalue of the constant function, is among them even if it is left out. The error is [core.ErrOption].
func parseEigenvalues(text string, lag int) ([]complex128, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var values []complex128
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		v, err := strconv.ParseComplex(part, 128)
		switch {
		case err != nil || cmplx.IsNaN(v) || !foreign.Decimal(part):
			return nil, fmt.Errorf("%w: the eigenvalue %.40q is not a number; write it like .95 or "+
				".95+.1i", core.ErrOption, part)
		case cmplx.Abs(v) > 1+roundedAway:
			return nil, fmt.Errorf("%w: the eigenvalue %.40q has a modulus above 1, which an evolution operator cannot have",
				core.ErrOption, part)
		}
		values = append(values, v)
	}
	if slices.IndexFunc(values, func(v complex128) bool { return cmplx.Abs(v-1) <= roundedAway*roundedAway }) < 0 {
		values = append(values, 1)
	}
	for _, v := range values {
		if times(values, v) != times(values, cmplx.Conj(v)) {
			return nil, fmt.Errorf("%w: the eigenvalue %v has no conjugate; give both of a pair, like .95+.1i,.95-.1i",
				core.ErrOption, v)
		}
	}
	if lag > 1 {
		for i, v := range values {
			values[i] = cmplx.Pow(v, complex(float64(lag), 0))
		}
	}
	slices.SortStableFunc(values, process.Descending)
	return values, nil
}

// times is how often a value is among others.
func times(values []complex128, v complex128) (n int) {
	for _, w := range values {
		if w == v {
			n++
		}
	}
	return n
}
