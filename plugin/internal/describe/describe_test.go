package describe

import (
	"fmt"
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
			core.TextOption("text", "/tmp", 9, "a text"),
		},
	}
}

func TestThereAndBack(t *testing.T) {
	d := full()
	assert.Equal(t, d, Description(Thing(wire.Kind_METHOD, d)))
	given, err := d.Resolve(map[string]any{"whole": 7, "choice": "b", "text": "ä,&=%\""})
	require.NoError(t, err)
	got, err := Options(d, Values(given))
	require.NoError(t, err)
	assert.Equal(t, given, got)
	_, err = Options(d, map[string]*wire.Value{"text": value("1234567890")})
	assert.ErrorIs(t, err, core.ErrOption, "a text of too many bytes")
	report := core.Report{
		Untrained: "flat", Warnings: []string{"w"}, History: []core.Epoch{{Number: 1, Train: 2, Validation: 3}}, Rank: 4,
		Parameters: 5, CompileSeconds: 6,
	}
	thereAndBack(t, report)
	thereAndBack(t, core.Report{
		Rank: 3_000_000_000, Parameters: 1 << 53,
		History: []core.Epoch{{Number: 2_147_483_648, Train: 1, Validation: 1}},
	})
	sent, err := Report(core.Report{Untrained: "flat\xff", Warnings: []string{"\xe9t\xe9"}})
	require.NoError(t, err)
	asJSON, err := CoreReport(sent)
	require.NoError(t, err)
	assert.Equal(t, core.Report{Untrained: "flat\uFFFD", Warnings: []string{"\uFFFDt\uFFFD"}}, asJSON)
	empty, err := CoreReport(nil)
	require.NoError(t, err)
	assert.Equal(t, core.Report{}, empty)
}

func thereAndBack(t *testing.T, r core.Report) {
	t.Helper()
	sent, err := Report(r)
	require.NoError(t, err)
	got, err := CoreReport(sent)
	require.NoError(t, err)
	assert.Equal(t, r, got)
}

func TestCountsThatCannotBeHeldAreErrors(t *testing.T) {
	for _, n := range []uint64{1<<53 + 1, math.MaxInt64, math.MaxUint64} {
		for name, w := range map[string]*wire.Report{
			"rank": {Rank: n}, "number of parameters": {Parameters: n},
			"number of an epoch": {History: []*wire.Epoch{{Number: n}}},
		} {
			_, err := CoreReport(w)
			assert.ErrorIs(t, err, core.ErrContract, name)
			assert.ErrorContains(t, err, fmt.Sprintf("a %s of %d; the most is 9007199254740992", name, n))
		}
	}
	for _, n := range []int{-1, math.MinInt, 1<<53 + 1, math.MaxInt} {
		for name, r := range map[string]core.Report{
			"rank": {Rank: n}, "number of parameters": {Parameters: n},
			"number of an epoch": {History: []core.Epoch{{Number: n}}},
		} {
			_, err := Report(r)
			assert.ErrorIs(t, err, core.ErrContract, name)
			assert.ErrorContains(t, err, fmt.Sprint(n), name)
		}
	}
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
	seed(&wire.Thing{Name: "a", Summary: "b", Options: []*wire.Option{{Name: "c", Doc: "d", Default: &wire.Value{},
		Min: math.NaN(), Max: math.Inf(1)}}})
	seed(&wire.Thing{Name: "a", Summary: "b", Options: []*wire.Option{{Name: "c", Doc: "d", Default: value(math.NaN()),
		Max: 1}}})
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
