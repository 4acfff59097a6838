package core_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func TestStreams(t *testing.T) {
	draw := func(seed int64, name ...string) [4]uint64 {
		s := core.NewStream(seed, name...)
		return [4]uint64{s.Uint64(), s.Uint64(), s.Uint64(), s.Uint64()}
	}
	assert.Equal(t, draw(42, "vamp", "shuffle"), draw(42, "vamp", "shuffle"))
	others := [][4]uint64{draw(43, "vamp", "shuffle"), draw(42, "vamp", "init"), draw(42, "vampshuffle"),
		draw(42, "vamp", "shuffle", ""), draw(-42, "vamp", "shuffle")}
	for _, other := range others {
		assert.NotEqual(t, draw(42, "vamp", "shuffle"), other)
	}
	// The stream is a promise to everyone who repeats a published run.
	assert.Equal(t, uint64(0x2d84af416ee5d686), core.NewStream(42, "vamp", "shuffle").Uint64())
}

func TestRecover(t *testing.T) {
	cause := errors.New("cause")
	call := func(value any) (err error) {
		defer core.Recover(&err)
		if value != nil {
			panic(value)
		}
		return nil
	}
	assert.NoError(t, call(nil))
	assert.ErrorIs(t, call("text"), core.ErrPanic)
	assert.ErrorContains(t, call("text"), "text\n")
	assert.ErrorIs(t, call(cause), cause)
	assert.ErrorContains(t, call(cause), "core_test.go", "the stack leads to the panic")
}

func training(t *testing.T) *core.Training {
	x, err := core.NewSnapshots(ramp(40), 2, 2)
	require.NoError(t, err)
	return &core.Training{
		Train: core.OneTrajectory(x.Slice(0, 6)), Validation: core.OneTrajectory(x.Slice(6, 10)),
		Lag: 1, States: 2, Progress: core.NoProgress,
	}
}

func one(x core.Snapshots, _ error) core.Trajectories { return core.OneTrajectory(x) }

// cut cuts a trajectory into trajectories of n snapshots; the last may be shorter.
func cut(t core.Trajectories, n int) core.Trajectories {
	var lengths []int
	for left := t.Len(); left > 0; left -= n {
		lengths = append(lengths, min(n, left))
	}
	t, _ = core.CutTrajectories(t.Snapshots(), lengths) // which add up
	return t
}

func TestTrainingValidate(t *testing.T) {
	require.NoError(t, training(t).Validate())
	labels := []int{0, 1, 0, 1, 0, 1}
	for name, c := range map[string]struct {
		spoil func(*core.Training)
		want  error
	}{
		"lag 0":            {func(x *core.Training) { x.Lag = 0 }, core.ErrOption},
		"no states":        {func(x *core.Training) { x.States = 0 }, core.ErrOption},
		"short training":   {func(x *core.Training) { x.Lag = 6 }, core.ErrTooShort},
		"short validation": {func(x *core.Training) { x.Lag = 4 }, core.ErrTooShort},
		"no training":      {func(x *core.Training) { x.Train = core.Trajectories{} }, core.ErrTooShort},
		"short parts":      {func(x *core.Training) { x.Train, x.Lag = cut(x.Train, 2), 2 }, core.ErrTooShort},
		"shapes": {func(x *core.Training) {
			x.Validation = one(core.NewSnapshots(ramp(8), 4))
		}, core.ErrShape},
		"non-finite": {func(x *core.Training) {
			x.Train = one(core.NewSnapshots([]float32{0, 0, 0, 0, float32(math.NaN()), 0, 0, 0}, 2, 2))
		}, core.ErrNonFinite},
		"labels missing": {func(x *core.Training) { x.TrainLabels = labels }, core.ErrShape},
		"labels out of range": {func(x *core.Training) { x.TrainLabels, x.ValidationLabels = labels, []int{0, 1, 2, 0} },
			core.ErrLabel},
	} {
		t.Run(name, func(t *testing.T) {
			x := training(t)
			c.spoil(x)
			assert.ErrorIs(t, x.Validate(), c.want)
		})
	}
}

type able struct{ has bool }

func (able) Report() core.Report { return core.Report{Rank: 3} }

type declaring struct{ able }

func (d declaring) Has(a core.Ability) bool { return d.has && a == core.AbilityReporter }

func TestAbilities(t *testing.T) {
	assert.Equal(t, 3, core.ReportOf(able{}).Rank)
	assert.Zero(t, core.ReportOf(struct{}{}).Rank)
	assert.Equal(t, 3, core.ReportOf(declaring{able{true}}).Rank)
	assert.Zero(t, core.ReportOf(declaring{able{false}}).Rank, "a declarer may deny what its type offers")
	_, ok := core.As[core.Spectral](able{})
	assert.False(t, ok)
}

// only denies all abilities but one.
type only struct{ has core.Ability }

func (o only) Has(a core.Ability) bool { return a == o.has }

// versatile has all abilities whose methods have names of their own, and denies all but one.
type versatile struct {
	core.Decoder
	core.Viewer
	core.Reporter
	core.Forecaster
	core.Saver
	only
}

func (versatile) Encoder() core.Embedding { return nil }

// declared checks that As finds the ability T of a thing that has it by its type if the declarer
// grants that, and only then.
func declared[T any](t *testing.T, ability core.Ability, restricted func(core.Ability) any) {
	t.Helper()
	_, ok := core.As[T](restricted(ability))
	assert.True(t, ok, ability)
	for other := range core.AbilityJudgeLoader + 2 {
		if other != ability {
			_, ok := core.As[T](restricted(other))
			assert.False(t, ok, "%v by %v", ability, other)
		}
	}
}

// TestEachAbilityHasItsValue: a declarer is asked for the interface that As is asked for.
func TestEachAbilityHasItsValue(t *testing.T) {
	all := func(a core.Ability) any { return versatile{only: only{a}} }
	declared[core.Decoder](t, core.AbilityDecoder, all)
	declared[core.Viewer](t, core.AbilityViewer, all)
	declared[core.Encoder](t, core.AbilityEncoder, all)
	declared[core.Reporter](t, core.AbilityReporter, all)
	declared[core.Forecaster](t, core.AbilityForecaster, all)
	declared[core.Saver](t, core.AbilitySaver, all)
	declared[core.Spectral](t, core.AbilitySpectral, func(a core.Ability) any {
		return struct {
			core.Spectral
			only
		}{only: only{a}}
	})
	declared[core.RightSpectral](t, core.AbilityRightSpectral, func(a core.Ability) any {
		return struct {
			core.RightSpectral
			only
		}{only: only{a}}
	})
	declared[core.SpectralOperator](t, core.AbilitySpectralOperator, func(a core.Ability) any {
		return struct {
			core.SpectralOperator
			only
		}{only: only{a}}
	})
	declared[core.ModelLoader](t, core.AbilityModelLoader, func(a core.Ability) any {
		return struct {
			core.ModelLoader
			only
		}{only: only{a}}
	})
	declared[core.EmbeddingLoader](t, core.AbilityEmbeddingLoader, func(a core.Ability) any {
		return struct {
			core.EmbeddingLoader
			only
		}{only: only{a}}
	})
	declared[core.OperatorLoader](t, core.AbilityOperatorLoader, func(a core.Ability) any {
		return struct {
			core.OperatorLoader
			only
		}{only: only{a}}
	})
	declared[core.JudgeLoader](t, core.AbilityJudgeLoader, func(a core.Ability) any {
		return struct {
			core.JudgeLoader
			only
		}{only: only{a}}
	})
}
