package check

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Outputs returns digests of the results of a thing of any kind at fixed inputs and seeds:
// predictions, features, labels, values, gradients, eigenvalues, eigenfunctions and epochs of
// training, as far as the thing has them. Two implementations of one thing, for instance one in
// this process and one in another, are equal to the bit if their outputs are. Nil options are the
// defaults.
//
// A digest is the SHA-256, in hexadecimal, of an array: its numbers of rows and columns as 64-bit
// numbers and its values as float64, row-major, all little-endian. Complex values are pairs of real
// and imaginary part. The names are stable.
func Outputs(ctx context.Context, thing any, o *Options) (outputs map[string]string, err error) {
	defer core.Recover(&err)
	resolved := o.resolved()
	resolved.Expect = nil // about checks, of which there is none here
	if err := resolved.validate(nil); err != nil {
		return nil, fmt.Errorf("%w: %w", core.ErrOption, err)
	}
	if core.IsNil(thing) {
		return nil, fmt.Errorf("%w: the thing whose outputs to take is nil", core.ErrUnavailable)
	}
	outputsOf := suiteOf(core.KindOf(thing)).outputs
	if outputsOf == nil {
		return nil, fmt.Errorf("%w: a %T is no %s", core.ErrUnknown, thing, core.AnyKind())
	}
	d := digests{}
	if err := outputsOf(ctx, d, thing, resolved); err != nil {
		return nil, err
	}
	return d, nil
}

// digests are digests of arrays by name.
type digests map[string]string

func (d digests) add(name string, t table) { d[name] = t.digest() }

// ofTrainee adds what the long fit computes from its validation snapshots, and what its abilities give.
func (d digests) ofTrainee(ctx context.Context, s *trainee, name string) error {
	l, out, err := s.validation(ctx)
	if err != nil {
		return err
	}
	d.add(name, out)
	d.addReport(l.fitted)
	x := l.training.Validation.At(0)
	if spectral, ok := core.As[core.Spectral](l.fitted); ok {
		d.add("eigenvalues", valuesTable(spectral.Eigenvalues()...))
		left, err := spectral.LeftEigenfunctions(ctx, x)
		if err != nil {
			return fmt.Errorf("LeftEigenfunctions: %w", err)
		}
		d.add("left-eigenfunctions", complexTable(left))
	}
	if spectral, ok := core.As[core.RightSpectral](l.fitted); ok {
		right, err := spectral.RightEigenfunctions(ctx, x)
		if err != nil {
			return fmt.Errorf("RightEigenfunctions: %w", err)
		}
		d.add("right-eigenfunctions", complexTable(right))
	}
	if forecaster, ok := core.As[core.Forecaster](l.fitted); ok {
		ahead, err := forecaster.Forecast(ctx, x, 3)
		if err != nil {
			return fmt.Errorf("forecasting: %w", err)
		}
		d.add("forecasts", snapshotTable(ahead))
	}
	if decoder, ok := core.As[core.Decoder](l.fitted); ok {
		decoded, err := decoder.Decode(ctx, mat.NewDense(out.rows, out.columns, slices.Clone(out.values)))
		if err != nil {
			return fmt.Errorf("decoding: %w", err)
		}
		d.add("decoded", snapshotTable(decoded))
	}
	if encoder, ok := core.As[core.Encoder](l.fitted); ok {
		features, err := embed(ctx, encoder.Encoder(), x)
		if err != nil {
			return fmt.Errorf("Embed of the encoder: %w", err)
		}
		d.add("encoder-features", features)
	}
	return nil
}

func (d digests) addReport(fitted any) {
	if _, ok := core.As[core.Reporter](fitted); !ok {
		return
	}
	r := core.ReportOf(fitted)
	counts := table{1, 2, []float64{float64(r.Rank), float64(r.Parameters)}}
	d.add("rank-and-parameters", counts)
	d.add("history", historyTable(r))
}

// historyTable has the number and the losses of an epoch in a row.
func historyTable(r core.Report) table {
	history := table{len(r.History), 3, nil}
	for _, e := range r.History {
		history.values = append(history.values, float64(e.Number), e.Train, e.Validation)
	}
	return history
}

func (d digests) ofOperator(ctx context.Context, s *operating) error {
	fitted, err := s.fit(ctx)
	if err != nil {
		return err
	}
	out, err := s.probe(ctx, fitted)
	if err != nil {
		return err
	}
	d.add("predictions", out)
	d.addReport(fitted)
	spectral, ok := core.As[core.SpectralOperator](fitted)
	if !ok {
		return nil
	}
	d.add("eigenvalues", valuesTable(spectral.Eigenvalues()...))
	for name, f := range map[string]eigenfunction{"left-eigenfunctions": eigenfunctions(spectral)[0],
		"right-eigenfunctions": eigenfunctions(spectral)[1]} {
		values, err := f.at(ctx, s.system.probes(20))
		if err != nil {
			return err
		}
		d.add(name, values)
	}
	return nil
}

func (d digests) ofLoss(ctx context.Context, s *scoring) error {
	for _, size := range s.sizes() {
		v, err := s.evaluate(ctx, s.views(size, "outputs"))
		if err != nil {
			return failed("Evaluate", err)
		}
		d.add(fmt.Sprintf("value-and-gradients-%dx%d", size.n, size.d), lossTable(v))
	}
	return nil
}

// sameOutputs is the check of a thing against Options.Reference.
func sameOutputs[S any](of func(S) (thing any, o Options), whole string) check[S] {
	return check[S]{"same-outputs", "The outputs equal those of Options.Reference to the bit", "",
		[]string{whole, "repeatable"},
		func(s S, ctx context.Context, n *notes) error {
			thing, o := of(s)
			if core.IsNil(o.Reference) {
				return &skip{"there is no Options.Reference to compare with"}
			}
			got, err := Outputs(ctx, thing, &o)
			if err != nil {
				return failed("taking the outputs", err)
			}
			want, err := Outputs(ctx, o.Reference, &o)
			if err != nil {
				return failed("taking the outputs of Options.Reference", err)
			}
			if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, slices.Sorted(maps.Keys(want))) {
				return wrong("declare the same abilities", "the outputs are %q, and those of the reference %q", names,
					slices.Sorted(maps.Keys(want)))
			}
			var differ []string
			for _, name := range slices.Sorted(maps.Keys(got)) {
				if got[name] != want[name] {
					differ = append(differ, name)
				}
			}
			if len(differ) > 0 {
				return wrong("look for rounding on the way between the two, or for another seed, option or number of epochs",
					"these outputs differ from those of the reference: %q", differ)
			}
			n.addf("%d outputs are equal: %q", len(got), slices.Sorted(maps.Keys(got)))
			return nil
		}}
}
