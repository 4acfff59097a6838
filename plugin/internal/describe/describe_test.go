package describe

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

func full() core.Description {
	return core.Description{
		Name: "full", Summary: "Has all", Doc: "Text.", Exposure: core.LabelExposed,
		Options: []core.Option{
			core.BoolOption("switch", true, "a switch"), core.IntOption("whole", 3, -1, 9, "a whole number"),
			core.FloatOption("number", 0.5, 0, 1, "a number"), core.ChoiceOption("choice", "a choice", "a", "b"),
		},
	}
}

func TestThereAndBack(t *testing.T) {
	d := full()
	assert.Equal(t, d, Description(Thing(wire.Kind_METHOD, d)))
	given, err := d.Resolve(map[string]any{"whole": 7, "choice": "b"})
	require.NoError(t, err)
	got, err := Options(d, Values(given))
	require.NoError(t, err)
	assert.Equal(t, given, got)
	report := core.Report{
		Untrained: "flat", Warnings: []string{"w"}, History: []core.Epoch{{Number: 1, Train: 2, Validation: 3}}, Rank: 4, Parameters: 5, CompileSeconds: 6,
	}
	assert.Equal(t, report, CoreReport(Report(report)))
	assert.Equal(t, core.Report{}, CoreReport(nil))
	assert.Equal(t, math.MaxInt32, CoreReport(&wire.Report{Rank: math.MaxUint64}).Rank)
}

// FuzzDescription: any description is refused, or goes there and back unchanged and gives options their defaults.
func FuzzDescription(f *testing.F) {
	seed := func(t *wire.Thing) {
		text, err := proto.Marshal(t)
		require.NoError(f, err)
		f.Add(text)
	}
	seed(Thing(wire.Kind_METHOD, full()))
	seed(&wire.Thing{})
	seed(&wire.Thing{Name: "a", Summary: "b", Options: []*wire.Option{nil, {Name: "c"}}})
	seed(&wire.Thing{Name: "a", Summary: "b", Options: []*wire.Option{{Name: "c", Doc: "d", Default: &wire.Value{}, Min: math.NaN(), Max: math.Inf(1)}}})
	seed(&wire.Thing{Name: "a", Summary: "b", Options: []*wire.Option{{Name: "c", Doc: "d", Default: value(math.NaN()), Max: 1}}})
	f.Fuzz(func(t *testing.T, text []byte) {
		var thing wire.Thing
		if proto.Unmarshal(text, &thing) != nil {
			return
		}
		d := Description(&thing)
		if err := d.Validate(); err != nil {
			assert.ErrorIs(t, err, core.ErrDescription)
			return
		}
		assert.Equal(t, d, Description(Thing(thing.GetKind(), d)))
		options, err := d.Resolve(nil)
		require.NoError(t, err, "the defaults are in range")
		again, err := Options(d, Values(options))
		require.NoError(t, err)
		assert.Equal(t, options, again)
	})
}
