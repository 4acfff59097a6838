package check

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
)

// Embedder runs all checks of an embedder. Nil options are the defaults.
func Embedder(ctx context.Context, e core.Embedder, o *Options) Report {
	return NewEmbedder(e, o).RunAll(ctx)
}

// NewEmbedder returns a session that runs the checks of an embedder one by one. Nil options are the
// defaults.
func NewEmbedder(e core.Embedder, o *Options) *Session {
	return newSession(core.KindEmbedder, e, o, embedderChecks(), func(o Options) *trainee { return embedderTrainee(e, o) })
}

func embedderTrainee(e core.Embedder, o Options) *trainee {
	return &trainee{
		o: o, kind: core.KindEmbedder, use: "Embed", thing: e,
		fit: func(ctx context.Context, t *core.Training) (any, error) { return e.Fit(ctx, t) },
		apply: func(ctx context.Context, fitted any, x core.Snapshots) (table, error) {
			return embed(ctx, fitted.(core.Embedding), x)
		},
	}
}

func embed(ctx context.Context, e core.Embedding, x core.Snapshots) (table, error) {
	z, err := e.Embed(ctx, x)
	if err != nil {
		return table{}, err
	}
	if z == nil {
		return table{}, wrong("return a matrix, an empty one for no snapshots",
			"Embed returned neither a matrix nor an error")
	}
	return matrixTable(z), nil
}

const featuresFinite = "features-finite"

func embedderChecks() []check[*trainee] {
	return slices.Concat(fitChecks(), []check[*trainee]{
		{"features-shape", "Embed gives a Len×Dim matrix, and Dim is at least 1 and the same at every call", "",
			[]string{"fit"}, (*trainee).checkFeaturesShape},
		{featuresFinite, "Features are finite", "", []string{"features-shape"}, (*trainee).checkFeaturesFinite},
		{"new-features", "Embed returns a new matrix, which the caller may write to", "",
			[]string{featuresFinite, steadyCheck}, (*trainee).checkNewFeatures},
		{"concurrent-use", "Embed gives the same bits when several goroutines call it", "", []string{core.RowIndependence},
			(*trainee).checkConcurrentUse},
		{"lag", "Fits at lags of 2 and 3 give finite features, as many as at a lag of 1",
			"", []string{featuresFinite}, (*trainee).checkEmbedderLag},
		{trajectoriesCheck, "A fit to several trajectories takes no pair that crosses the end of one, " +
			"and gives the same bits wherever in memory they are; or it returns ErrUnavailable",
			"", []string{"lag", "repeatable"}, (*trainee).checkEmbedderTrajectories},
	}, traineeChecks("Embed", featuresFinite), []check[*trainee]{
		exposureCheck(featuresFinite),
		{"decoder", "Decode gives a finite snapshot of the training snapshots' shape for each row, dependent on that row " +
			"alone; ErrShape for another number of features",
			"Decoder", []string{core.RowIndependence, "new-features"}, (*trainee).checkDecoder},
		{"viewer", "View has the very values that Embed returns", "Viewer", []string{core.RowIndependence, "new-features"},
			(*trainee).checkViewer},
		sameOutputs(func(s *trainee) (any, Options) { return s.thing, s.o }, featuresFinite),
	})
}

func (s *trainee) checkFeaturesShape(ctx context.Context, _ *notes) error {
	l, out, err := s.validation(ctx)
	if err != nil {
		return err
	}
	e := l.fitted.(core.Embedding)
	d := e.Dim()
	switch n := l.training.Validation.Len(); {
	case d < 1:
		return wrong("return the number of features", "Dim is %d", d)
	case out.rows != n || out.columns != d:
		return wrong("return a row for each snapshot and a column for each feature",
			"Embed returned a %d×%d matrix for %d snapshots and a Dim of %d", out.rows, out.columns, n, d)
	case e.Dim() != d:
		return wrong("return a constant", "Dim is %d, and then %d", d, e.Dim())
	}
	return nil
}

func (s *trainee) checkFeaturesFinite(ctx context.Context, n *notes) error {
	_, out, err := s.validation(ctx)
	if err != nil {
		return err
	}
	if where := out.nonFinite(); where != "" {
		return wrong("return an error that wraps core.ErrNonFinite where a fit diverges",
			"in the features of the validation snapshots %s", where)
	}
	constant := true
	for i := range out.rows {
		constant = constant && out.pick([]int{i}).difference(out.pick([]int{0})) == ""
	}
	if constant {
		n.addf("the features are the same for all snapshots: nothing can be predicted from them")
	}
	return nil
}

func (s *trainee) checkNewFeatures(ctx context.Context, _ *notes) error {
	l, want, err := s.validation(ctx)
	if err != nil {
		return err
	}
	e := l.fitted.(core.Embedding)
	z, err := e.Embed(ctx, l.training.Validation.At(0))
	if err != nil {
		return failed("Embed", err)
	}
	mutated(z)
	got, err := embed(ctx, e, l.training.Validation.At(0))
	if err != nil {
		return failed("Embed", err)
	}
	if d := want.difference(got); d != "" {
		return wrong("return memory that nothing else refers to",
			"after the caller wrote to a result of Embed, the next one differs: %s", d)
	}
	return nil
}

// checkConcurrentUse is for what may be used by several goroutines.
func (s *trainee) checkConcurrentUse(ctx context.Context, _ *notes) error {
	l, want, err := s.validation(ctx)
	if err != nil {
		return err
	}
	x := l.training.Validation.At(0)
	return concurrently(s.use, func() (string, error) {
		got, err := s.apply(ctx, l.fitted, x)
		return want.difference(got), err
	})
}

// concurrently makes a call on several goroutines, each a few times. It returns what differs from a call alone, or "".
func concurrently(name string, call func() (difference string, err error)) error {
	const goroutines, times = 4, 3
	one := func() error {
		for range times {
			d, err := call()
			if err != nil {
				return inCase("among several calls at the same time", failed(name, err))
			}
			if d != "" {
				return wrong("share nothing between calls that any of them changes, or guard it by a mutex",
					"%s alone and among calls on %d goroutines: %s", name, goroutines, d)
			}
		}
		return nil
	}
	calls := make([]func() error, goroutines)
	for i := range calls {
		calls[i] = one
	}
	return together(calls...)
}

func (s *trainee) checkDecoder(ctx context.Context, _ *notes) error {
	l, features, err := s.validation(ctx)
	if err != nil {
		return err
	}
	decoder, ok := core.As[core.Decoder](l.fitted)
	if !ok {
		return undeclared("embedding", "Decoder")
	}
	decode := func(rows table) (table, error) {
		x, err := decoder.Decode(ctx, mat.NewDense(rows.rows, rows.columns, slices.Clone(rows.values)))
		if err != nil {
			return table{}, failed("Decode", err)
		}
		if x.Len() != rows.rows || !slices.Equal(x.Shape(), s.o.Shape) {
			return table{}, wrong("return a snapshot for each row",
				"Decode returned %d snapshots of shape %v for %d rows of features of snapshots of shape %v",
				x.Len(), x.Shape(), rows.rows, s.o.Shape)
		}
		return snapshotTable(x), nil
	}
	all, err := decode(features)
	if err != nil {
		return err
	}
	if where := all.nonFinite(); where != "" {
		return wrong("return an error that wraps core.ErrNonFinite instead", "Decode: %s", where)
	}
	for _, indices := range [][]int{{0}, {features.rows - 1, 1, 0}} {
		got, err := decode(features.pick(indices))
		if err != nil {
			return err
		}
		if d := all.pick(indices).difference(got); d != "" {
			return wrong("compute every row by itself", "Decode of rows %v alone and among %d: %s", indices, features.rows, d)
		}
	}
	if err := concurrently("Decode", func() (string, error) {
		got, err := decode(features)
		return all.difference(got), err
	}); err != nil {
		return err
	}
	wide := mat.NewDense(2, features.columns+1, nil)
	return refusal{fmt.Sprintf("Decode of %d features, of which there are %d,", features.columns+1, features.columns),
		core.ErrShape, func() error {
			_, err := decoder.Decode(ctx, wide)
			return err
		}, ""}.check()
}

func (s *trainee) checkViewer(ctx context.Context, _ *notes) error {
	l, want, err := s.validation(ctx)
	if err != nil {
		return err
	}
	viewer, ok := core.As[core.Viewer](l.fitted)
	if !ok {
		return undeclared("embedding", "Viewer")
	}
	view, err := viewer.View(l.training.Validation.At(0))
	if err != nil {
		return failed("View", err)
	}
	if view == nil {
		return wrong("return a matrix", "View returned neither a matrix nor an error")
	}
	const remedy = "compute in View what Embed computes, in the same order"
	if d := want.difference(matrixTable(view)); d != "" {
		return wrong(remedy, "Embed and View: %s", d)
	}
	return concurrently("View", func() (string, error) { return want.difference(matrixTable(view)), nil })
}
