package compose

import (
	"cmp"
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
)

// Float32 is the unit roundoff of features computed in float32, 2⁻²³, and Float64 that of float64.
const (
	Float32 = 0x1p-23
	Float64 = 0x1p-52
)

// Options say more about a composed method.
type Options struct {
	// Name, Summary and Doc describe the method. What is empty is that of the embedder.
	Name, Summary, Doc string
	// Precision is the unit roundoff of the features; 0 stands for [Float32].
	Precision float64
	// FullRank makes a fit count as untrained if the rank of the operator is too low: below the least one of the task
	// ([core.Training.LeastRank]), or below the rank that the user asked for if that is less.
	FullRank bool
	// Defaults are defaults of the operator's options that replace its own.
	Defaults map[string]any
	// Features returns how many features the embedder will have for a training, or 0 if it does not know. With it, a rank
	// above that number is refused before anything is fitted. Nil for an embedder that never knows.
	Features func(t *core.Training) int
}

// New returns the method that fits the embedder, then the operator to the features of the training snapshots. Its model
// embeds a snapshot and advances the features by one lag. If the embedding is a [core.Decoder], it decodes them.
// Otherwise the snapshots themselves are the operator's observable.
//
// The method has the options of both parts. If the operator has an option "rank", 0 stands for the number of states.
// The random streams are those of the embedder's declared name. Nil options are the defaults.
//
// The method and both parts have a guard around them ([core.Guard]).
func New(embedder core.Embedder, operator core.EvolutionOperator, o *Options) core.Method {
	m := &method{embedder: core.GuardEmbedder(embedder), operator: core.GuardOperator(operator)}
	if o != nil {
		m.Options = *o
	}
	if m.Precision == 0 {
		m.Precision = Float32
	}
	e := embedder.Describe()
	m.description = core.Description{
		Name:     firstOf(m.Name, e.Name),
		Summary:  firstOf(m.Summary, e.Summary),
		Doc:      firstOf(m.Doc, e.Doc),
		Exposure: e.Exposure,
	}
	m.embedderName = e.Name
	m.description.Options, m.embedderPart = join(nil, "embedder", e.Options)
	m.description.Options, m.operatorPart = join(m.description.Options, "operator",
		m.operatorOptions(operator.Describe().Options))
	return core.GuardMethod(m)
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

const (
	rankOption    = "rank"
	variantOption = "variant"
)

// operatorOptions are the options of the operator with the defaults of the composition. The doc of "rank" says what 0
// stands for there.
func (o Options) operatorOptions(options []core.Option) []core.Option {
	options = append([]core.Option{}, options...)
	for i, option := range options {
		if value, ok := o.Defaults[option.Name]; ok {
			options[i].Default = value
		}
	}
	for i, o := range options {
		if _, whole := o.Default.(int); whole && o.Name == rankOption && o.Min <= 0 {
			options[i].Default = 0
			options[i].Doc = "rank of the evolution operator; 0 for the number of states"
		}
	}
	return options
}

type method struct {
	Options
	description                core.Description
	embedder                   core.Embedder
	operator                   core.EvolutionOperator
	embedderName               string
	embedderPart, operatorPart part
}

var (
	_ core.Method      = (*method)(nil)
	_ core.ModelLoader = (*method)(nil)
	_ core.Declarer    = (*method)(nil)
	_ core.Checker     = (*method)(nil)
)

func (m *method) Describe() core.Description { return m.description }

func (m *method) Fit(ctx context.Context, t *core.Training) (_ core.Model, err error) {
	defer core.Recover(&err)
	forEmbedder, err := m.forEmbedder(t)
	if err != nil {
		return nil, err
	}
	if err := m.checkRank(forEmbedder, t.Options); err != nil {
		return nil, err
	}
	embedding, err := m.embedder.Fit(ctx, forEmbedder)
	if err != nil {
		return nil, err
	}
	features, err := featuresOf(ctx, embedding, t.Train)
	if err != nil {
		return nil, err
	}

	forOperator := core.OperatorTraining{Features: features, Lag: t.Lag, Precision: m.Precision}
	if t.Train.Count() > 1 {
		forOperator.Lengths = t.Train.Lengths()
	}
	given := m.operatorPart.given(t.Options)
	rank, ranked := given[rankOption].(int)
	if ranked && rank == 0 && given[variantOption] != string(linalg.Full) { // which has no smaller rank
		rank = min(t.States, embedding.Dim())
		given[rankOption] = rank
	}
	if forOperator.Options, err = m.operator.Describe().Resolve(given); err != nil {
		return nil, err
	}
	decoder, decodes := core.As[core.Decoder](embedding)
	if !decodes {
		forOperator.Observable = t.Train.View()
	}
	operator, err := m.operator.Fit(ctx, &forOperator)
	if err != nil {
		return nil, err
	}

	model := &fitted{embedding: embedding, decoder: decoder, operator: operator, shape: t.Train.Shape()}
	model.spectrum, _ = core.As[core.SpectralOperator](operator)
	model.report = m.report(t, embedding, operator, features, rank)
	return model, nil
}

// forEmbedder is what the embedder sees of t.
func (m *method) forEmbedder(t *core.Training) (*core.Training, error) {
	own := *t
	own.Name = m.embedderName
	var err error
	own.Options, err = m.embedderPart.read(t.Options)
	return &own, err
}

// Check implements [core.Checker].
func (m *method) Check(t *core.Training) error {
	forEmbedder, err := m.forEmbedder(t)
	if err != nil {
		return err
	}
	if err := m.checkRank(forEmbedder, t.Options); err != nil {
		return err
	}
	if checker, ok := core.As[core.Checker](m.embedder); ok {
		return checker.Check(forEmbedder)
	}
	return nil
}

// checkRank returns ErrOption if the user asks for a higher rank than the embedder has features, or
// for a lower one with the variant that has no lower one.
func (m *method) checkRank(t *core.Training, whole core.Options) error {
	given := m.operatorPart.given(whole)
	rank, _ := given[rankOption].(int)
	if m.Features == nil || rank == 0 {
		return nil
	}
	name, features := m.operatorPart.inWhole[rankOption], m.Features(t)
	switch {
	case features > 0 && rank > features:
		return fmt.Errorf("%w: %s=%d with %d features; give a rank of at most %d, or more features", core.ErrOption, name,
			rank, features, features)
	case rank < features && given[variantOption] == string(linalg.Full):
		return fmt.Errorf("%w: %s=%d with variant=full, which has rank %d; leave out the rank or choose %s", core.ErrOption,
			name, rank, features, linalg.ReducedRank)
	}
	return nil
}

// report joins the reports of the parts.
func (m *method) report(t *core.Training, embedding core.Embedding, operator core.Operator, features mat.Matrix,
	rank int) core.Report {
	report, ridge := core.ReportOf(embedding), core.ReportOf(operator)
	report.Rank = operator.Rank()
	report.CompileSeconds += ridge.CompileSeconds
	report.Parameters += ridge.Parameters
	report.Warnings = append(report.Warnings[:len(report.Warnings):len(report.Warnings)], ridge.Warnings...)
	if report.Untrained == "" {
		report.Untrained = ridge.Untrained
	}
	if constant(features) {
		report.Warnings = append(
			report.Warnings,
			"the features are the same for all training snapshots: the embedding does not distinguish anything (for "+
				"instance, a network whose ReLUs are all off), and every prediction is the same",
		)
	}
	expected := cmp.Or(t.LeastRank, t.States)
	if rank > 0 {
		expected = min(expected, rank)
	}
	if m.FullRank && report.Rank < expected && report.Untrained == "" {
		report.Untrained = fmt.Sprintf(
			"the evolution operator has rank %d: the features span fewer than the %d dimensions that "+
				"%d states need",
			report.Rank,
			expected,
			t.States,
		)
		if t.LeastRank != 0 && t.LeastRank != t.States {
			report.Untrained = fmt.Sprintf(
				"the evolution operator has rank %d, which is less than %d: it says nothing about the process", report.Rank,
				expected)
		}
	}
	return report
}

// constant reports whether all rows of m are equal, up to the rounding of float32. It stops soon after the first row
// that differs.
func constant(m mat.Matrix) bool {
	const block = 256
	n, d := m.Dims()
	var least, most []float64
	for from := 0; from < n; from += block {
		rows := mat.NewDense(min(block, n-from), d, nil)
		core.ReadRows(rows, m, from)
		if from == 0 {
			least, most = mat.Row(nil, 0, rows), mat.Row(nil, 0, rows)
		}
		for i := range rows.RawMatrix().Rows {
			for j, v := range rows.RawRowView(i) {
				least[j], most[j] = min(least[j], v), max(most[j], v)
				if most[j]-least[j] > 8*Float32*max(-least[j], most[j]) {
					return false
				}
			}
		}
	}
	return true
}
