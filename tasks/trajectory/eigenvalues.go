package trajectory

import (
	"fmt"
	"math/cmplx"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/tasks/process"
)

// parseEigenvalues reads eigenvalues over one row, and returns those over the lag, the largest first; nil for none. The error
// is [core.ErrOption].
func parseEigenvalues(text string, lag int) ([]complex128, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var values []complex128
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		v, err := strconv.ParseComplex(part, 128)
		if err != nil || cmplx.IsNaN(v) || cmplx.IsInf(v) || strings.ContainsAny(part, "xX") {
			return nil, fmt.Errorf("%w: the eigenvalue %.40q is no number; write it like .95 or .95+.1i", core.ErrOption, part)
		}
		over := cmplx.Pow(v, complex(float64(lag), 0))
		if lag == 1 {
			over = v
		}
		if cmplx.IsNaN(over) || cmplx.IsInf(over) {
			return nil, fmt.Errorf("%w: the eigenvalue %.40q grows beyond all numbers over %d rows", core.ErrOption, part, lag)
		}
		values = append(values, over)
	}
	slices.SortStableFunc(values, process.Descending)
	return values, nil
}
