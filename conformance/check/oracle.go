package check

import (
	"context"
	"slices"

	"github.com/koopbench/koopbench/core"
)

// Oracle runs all checks of an oracle. Nil options are the defaults.
func Oracle(ctx context.Context, oracle core.Oracle, o *Options) Report {
	return NewOracle(oracle, o).RunAll(ctx)
}

// NewOracle returns a session that runs the checks of an oracle one by one. Nil options are the
// defaults.
func NewOracle(oracle core.Oracle, o *Options) *Session {
	return newSession(core.KindOracle, oracle, o, oracleChecks(), func(o Options) *trainee {
		return oracleTrainee(oracle, o)
	})
}

func oracleTrainee(oracle core.Oracle, o Options) *trainee {
	return &trainee{
		o: o, kind: core.KindOracle, use: "Classify", labelled: true, thing: oracle,
		fit:    func(ctx context.Context, t *core.Training) (any, error) { return oracle.Fit(ctx, t) },
		apply:  classify,
		detail: classifyAndEncode,
	}
}

// classify returns the labels as a column.
func classify(ctx context.Context, fitted any, x core.Snapshots) (table, error) {
	labels, err := fitted.(core.Judge).Classify(ctx, x)
	if err != nil {
		return table{}, err
	}
	return labelTable(labels), nil
}

// classifyAndEncode returns the features on which the labels are based too, where the judge hands
// them out: labels alone tell little of a fit.
func classifyAndEncode(ctx context.Context, fitted any, x core.Snapshots) (table, error) {
	labels, err := classify(ctx, fitted, x)
	if err != nil {
		return table{}, err
	}
	encoder, ok := core.As[core.Encoder](fitted)
	if !ok || core.IsNil(encoder.Encoder()) {
		return labels, nil
	}
	features, err := embed(ctx, encoder.Encoder(), x)
	if err != nil || features.rows != labels.rows {
		return labels, err
	}
	both := table{labels.rows, 1 + features.columns, nil}
	for i := range labels.rows {
		both.values = append(append(both.values, labels.values[i]),
			features.values[i*features.columns:(i+1)*features.columns]...)
	}
	return both, nil
}

const labelsInRange = "labels"

func oracleChecks() []check[*trainee] {
	return slices.Concat(fitChecks(), []check[*trainee]{
		{labelsInRange, "Classify gives a label in 0 … States-1 for each snapshot", "", []string{"fit"},
			(*trainee).checkLabels},
		{"learns", "Labels of validation snapshots are right in the share of cases that Options.Accuracy says", "",
			[]string{labelsInRange}, (*trainee).checkLearnsLabels},
		{"concurrent-use", "Classify gives the same labels when several goroutines call it", "",
			[]string{core.RowIndependence}, (*trainee).checkConcurrentUse},
		{"lag", "Fits at lags of 2 and 3 give labels that are right in the same share of cases",
			"", []string{"learns"}, (*trainee).checkOracleLag},
		{trajectoriesCheck, "A fit to several trajectories, whose labels are numbered through, gives labels that are " +
			"right in the same share of cases, and the same bits wherever in memory they are; or it returns ErrUnavailable",
			"", []string{"learns", "repeatable"}, (*trainee).checkOracleTrajectories},
	}, traineeChecks("Classify", labelsInRange), []check[*trainee]{
		{"needs-labels", "Fit without labels returns an error of package core", "", []string{"fit"},
			(*trainee).checkNeedsLabels},
		{"encoder", "Encoder gives finite features, the same at every call, each row dependent on its snapshot alone, from " +
			"which the label follows",
			"Encoder", []string{core.RowIndependence}, (*trainee).checkEncoder},
		sameOutputs(func(s *trainee) (any, Options) { return s.thing, s.o }, labelsInRange),
	})
}

func (s *trainee) checkLabels(ctx context.Context, _ *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	x := l.training.Validation.At(0)
	labels, err := l.fitted.(core.Judge).Classify(ctx, x)
	if err != nil {
		return failed("Classify", err)
	}
	if err := core.CheckLabels(labels, x.Len(), s.o.States); err != nil {
		return wrong("return a label for each snapshot, in 0 … Training.States-1", "Classify returned %v", err)
	}
	return nil
}

func (s *trainee) checkLearnsLabels(ctx context.Context, n *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	return s.checkVerdicts(ctx, l.fitted, n)
}

// checkVerdicts checks the labels that a judge gives to the validation snapshots of the long fit.
func (s *trainee) checkVerdicts(ctx context.Context, fitted any, n *notes) error {
	l, err := s.fitLong(ctx)
	if err != nil {
		return err
	}
	out, err := s.apply(ctx, fitted, l.training.Validation.At(0))
	if err != nil {
		return failed(s.use, err)
	}
	right := 0
	for i, want := range l.training.ValidationLabels {
		if int(out.values[i]) == want {
			right++
		}
	}
	accuracy := float64(right) / float64(out.rows)
	n.addf("%.0f%% of %d labels are right", 100*accuracy, out.rows)
	if accuracy >= s.o.Accuracy {
		return nil
	}
	return unjudged(fitted, wrong(
		"look at the order of the labels; if the fit needs more steps, give them by Options.Epochs or Options.Settings",
		"%.1f%% of %d labels are right, and chance is %.1f%%; it takes %.1f%%", 100*accuracy, out.rows,
		100/float64(s.o.States), 100*s.o.Accuracy))
}

func (s *trainee) checkNeedsLabels(ctx context.Context, _ *notes) error {
	data, err := s.short()
	if err != nil {
		return err
	}
	t, err := s.training(data, true)
	if err != nil {
		return err
	}
	t.TrainLabels, t.ValidationLabels = nil, nil
	return refusal{call: "Fit without labels", do: func() error {
		_, err := s.fit(ctx, t)
		return err
	}}.check()
}

func (s *trainee) checkEncoder(ctx context.Context, _ *notes) error {
	l, labels, err := s.validation(ctx)
	if err != nil {
		return err
	}
	encoder, ok := core.As[core.Encoder](l.fitted)
	if !ok {
		return undeclared("judge", "Encoder")
	}
	e := encoder.Encoder()
	if core.IsNil(e) {
		return wrong("return the features on which labels are based, or do not declare the ability", "Encoder returned nil")
	}
	out, err := embed(ctx, e, l.training.Validation.At(0))
	if err != nil {
		return failed("Embed", err)
	}
	if where := out.nonFinite(); where != "" || out.rows != l.training.Validation.Len() || out.columns != e.Dim() {
		return wrong("return finite features, a row for each snapshot",
			"Embed of the encoder returned a %d×%d matrix for %d snapshots and a Dim of %d; %s",
			out.rows, out.columns, l.training.Validation.Len(), e.Dim(), where)
	}
	again, err := embed(ctx, encoder.Encoder(), l.training.Validation.At(0))
	if err != nil {
		return failed("Embed", err)
	}
	if d := out.difference(again); d != "" {
		return wrong("return the same encoder at every call", "features of two calls of Encoder: %s", d)
	}
	for i := range out.rows {
		for j := range i {
			if labels.values[i] != labels.values[j] && out.pick([]int{i}).difference(out.pick([]int{j})) == "" {
				return wrong("hand out the features on which labels are based",
					"snapshots %d and %d have equal features, and the labels %v and %v",
					j, i, labels.values[j], labels.values[i])
			}
		}
	}
	return rowsIndependent(l.data.x, func(x core.Snapshots) (table, error) {
		out, err := embed(ctx, e, x)
		return out, failed("Embed", err)
	}, "Embed of the encoder")
}
