package check

import (
	"context"
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// large is how many bytes gRPC refuses in one message, by default, and an eighth more.
const large = 4<<20 + 1<<19

// checkLargeArrays gives everything that is served arrays of more bytes than a message may have.
func (s *running) checkLargeArrays(ctx context.Context, n *notes) error {
	return s.with(ctx, func(p Process) error {
		things, err := p.Things()
		if err != nil {
			return err
		}
		tried := 0
		for _, thing := range things {
			large := suiteOf(core.KindOf(thing)).large
			if large == nil {
				continue
			}
			if err := large(ctx, thing, s.o); err != nil {
				return inCase(fmt.Sprintf("of %q", thing.(described).Describe().Name), err)
			}
			tried++
		}
		if tried == 0 {
			return &skip{"nothing that it serves is given large arrays: batches of a loss are small, and a task brings " +
				"its own data"}
		}
		n.addf("arrays of %s have passed", inBytes(large))
		return nil
	})
}

const chunksRemedy = "send and receive arrays in chunks of at most 1 MiB, as many as it takes"

// checkLargeArrays applies what was fitted to many snapshots, which must give for the last what they give for it alone.
func (s *trainee) checkLargeArrays(ctx context.Context) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	fitted, want, err := s.brief(ctx, data, nil)
	if err != nil {
		return err
	}
	short := data.x.Slice(0, probes)
	const width = 4 // bytes of a float32
	times := large/(width*short.Size()*probes) + 1
	var values []float32
	for range times {
		values = append(values, short.Floats()...)
	}
	x, err := core.NewSnapshots(values, short.Shape()...)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s of %d snapshots, %s", s.use, x.Len(), inBytes(width*len(values)))
	compute := s.apply
	if s.detail != nil {
		compute = s.detail
	}
	got, err := compute(ctx, fitted, x)
	if err != nil {
		return failedLarge(what, err)
	}
	if got.rows != want.rows*times {
		return wrong(chunksRemedy, "%s gave %d rows for %d snapshots", what, got.rows, x.Len())
	}
	if d := want.difference(got.pick(interval(got.rows-want.rows, got.rows))); d != "" {
		return wrong(chunksRemedy, "%s, the last of them and the same alone: %s", what, d)
	}
	return nil
}

// checkLargeArrays fits to a large observable, whose columns are all of them combinations of the features.
func (s *operating) checkLargeArrays(ctx context.Context) error {
	const width = 8 // bytes of a float64
	columns := large/(width*systemLength) + 1
	what := fmt.Sprintf("a fit to an observable of %d×%d, %s", systemLength, columns, inBytes(width*systemLength*columns))
	if _, _, err := s.fitAndProbe(ctx, s.system, nil); err != nil {
		return err
	}
	_, _, err := s.fitAndProbe(ctx, s.system, func(t *core.OperatorTraining) {
		observe := gaussian(core.NewStream(2, "conformance", "large").NormFloat64, systemDim, columns)
		var observable mat.Dense
		observable.Mul(s.system.features, observe)
		t.Observable = &observable
	})
	return failedLarge(what, err)
}

// failedLarge is the error of a call that failed for its size: a smaller one succeeded.
func failedLarge(what string, err error) error {
	if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return failed(what, err)
	}
	return wrong(chunksRemedy, "%s failed: %v", what, err)
}
