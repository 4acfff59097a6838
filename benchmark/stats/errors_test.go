package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

// sensible checks what every interval of errors holds.
func sensible(t *testing.T, m core.Measure, scores [][]float64) Estimate {
	t.Helper()
	e, err := NewEstimate(m, scores)
	require.NoError(t, err)
	for _, v := range []float64{e.Mean, e.Interval.Low, e.Interval.High} {
		require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%+v", e)
	}
	require.LessOrEqual(t, m.Least, e.Interval.Low)
	require.LessOrEqual(t, e.Interval.Low, e.Mean)
	require.LessOrEqual(t, e.Mean, e.Interval.High)
	require.LessOrEqual(t, e.Interval.High, m.Most)
	return e
}

func TestErrorsOfPlainCases(t *testing.T) {
	f := flow{.2, .4, .3, .5, 100, 1}
	r := rand.New(rand.NewPCG(5, 5))
	drawn := f.draw(r, 5, f.process(r))
	times := func(factor float64) [][]float64 {
		all := make([][]float64, len(drawn))
		for s, row := range drawn {
			for _, v := range row {
				all[s] = append(all[s], v*factor)
			}
		}
		return all
	}
	plain := sensible(t, nrmse, drawn)
	assert.Equal(t, 5, plain.Seeds)
	assert.Equal(t, 100, plain.Snapshots)
	for _, factor := range []float64{1e-300, 1e-3, 1e300} {
		e := sensible(t, nrmse, times(factor))
		assert.InEpsilon(t, plain.Interval.Low*factor, e.Interval.Low, 1e-6)
		assert.InEpsilon(t, plain.Interval.High*factor, e.Interval.High, 1e-6)
	}
	mean := 0.0
	for _, row := range drawn {
		mean += nrmse.Together(row) / 5
	}
	assert.InDelta(t, mean, plain.Mean, 1e-12)

	assert.Equal(t, Interval{3, 3}, sensible(t, nrmse, [][]float64{{3, 3, 3}, {3, 3, 3}}).Interval, "constant errors")
	assert.Equal(t, Interval{}, sensible(t, nrmse, [][]float64{{0, 0, 0}, {0, 0, 0}}).Interval, "no errors")
	assert.Equal(t, Interval{0, math.MaxFloat64}, sensible(t, nrmse, [][]float64{{1}, {2}, {3}}).Interval, "one start")
	assert.Less(t, sensible(t, nrmse, [][]float64{{1, 2, 1.5, 1.2}}).Interval.High, 100.0, "one seed, four starts")
	few := sensible(t, nrmse, [][]float64{{1, 2}, {1.5, 1}})
	assert.Equal(t, 2, few.Blocks)

	one := times(1)
	one[2] = make([]float64, 100)
	assert.Positive(t, sensible(t, nrmse, one).Interval.Low, "a seed without an error")
	one[2] = slices.Repeat([]float64{1e300}, 100)
	sensible(t, nrmse, one)
	zeros := times(1)
	for s := range zeros {
		for i := range 50 {
			zeros[s][2*i] = 0
		}
	}
	sensible(t, nrmse, zeros)
	sensible(t, nrmse, [][]float64{{0, 0, 0, 1e300}, {0, 0, 0, 1e-300}})
}

// A method that does not depend on its seed has an interval over starts alone, however many seeds it ran at.
func TestErrorsOfOneModel(t *testing.T) {
	f := flow{0, .4, 0, .8, 300, 1}
	r := rand.New(rand.NewPCG(6, 6))
	row := f.draw(r, 1, f.process(r))[0]
	one := sensible(t, nrmse, [][]float64{row})
	for _, rows := range [][][]float64{{row, row}, {row, row, row, row, row}} {
		many := sensible(t, nrmse, rows)
		assert.InDelta(t, one.Interval.Low, many.Interval.Low, 1e-9)
		assert.InDelta(t, one.Interval.High, many.Interval.High, 1e-9)
		named, err := NewEstimateOfModels(nrmse, rows, slices.Repeat([]string{"it"}, len(rows)))
		require.NoError(t, err)
		assert.Equal(t, many.Interval, named.Interval)
		assert.Zero(t, named.SD)
	}
	other := f.draw(r, 1, f.process(r))[0]
	_, err := NewEstimateOfModels(nrmse, [][]float64{row, other}, []string{"a", "b"})
	require.NoError(t, err)
}

// Starts that are alike count for fewer than they are.
func TestBlocksAreAsLongAsNeeded(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	last := 1000
	for _, coefficient := range []float64{0, .9, .98} {
		b := blocksOf(flow{0, 1, 0, coefficient, 1000, 1}.draw(r, 1, flow{0, 1, 0, coefficient, 1000, 1}.process(r))[0])
		assert.Less(t, b.count, last)
		assert.GreaterOrEqual(t, b.narrow, 1.0)
		last = b.count
	}
	assert.GreaterOrEqual(t, last, leastBlocks)
	assert.Equal(t, []float64{1.5, 3.5, 5.5}, blocks{starts: 6, count: 3}.means([]float64{1, 2, 3, 4, 5, 6}))
	assert.Equal(t, 1, blocksOf([]float64{2}).count)
	assert.Equal(t, 1.0, correlationTime(slices.Repeat([]float64{3}, 50)))
}

func TestErrorsRefuse(t *testing.T) {
	signed := core.Measure{Name: "skill", Least: -1, Most: 1}
	assert.False(t, Covers(signed))
	assert.True(t, Covers(nrmse))
	assert.True(t, Covers(accuracy))
	assert.True(t, Covers(core.Measure{Most: 1, LowerIsBetter: true}))
	for _, c := range []struct {
		m      core.Measure
		scores [][]float64
		want   error
	}{
		{signed, [][]float64{{1}}, core.ErrOption},
		{nrmse, [][]float64{{-1}}, core.ErrOption},
		{nrmse, [][]float64{{1, 2}, {1}}, core.ErrShape},
		{nrmse, [][]float64{{math.NaN()}}, core.ErrNonFinite},
		{core.Measure{Most: math.Inf(1)}, [][]float64{{1e308, 1e308}}, core.ErrNonFinite},
	} {
		_, err := NewEstimate(c.m, c.scores)
		assert.ErrorIs(t, err, c.want)
		_, err = Rank(c.m, []Sample{{0: c.scores[0]}, {0: c.scores[len(c.scores)-1]}})
		assert.ErrorIs(t, err, c.want)
		_, err = ComparePairs(c.m, [][2]Sample{{{0: c.scores[0]}, {0: c.scores[len(c.scores)-1]}}})
		assert.ErrorIs(t, err, c.want)
	}
}

// level is a method whose errors are those of a flow at some seeds, times a factor.
func level(factor float64, seeds ...int64) Sample {
	f := flow{.1, .4, .2, .5, 400, 1}
	r := rand.New(rand.NewPCG(uint64(1000*factor), 1))
	starts := f.process(rand.New(rand.NewPCG(9, 9)))
	s := Sample{}
	for i, row := range f.draw(r, len(seeds), starts) {
		for k := range row {
			row[k] *= factor
		}
		s[seeds[i]] = row
	}
	return s
}

func TestRankOfErrors(t *testing.T) {
	seeds := []int64{0, 1, 2, 3, 4}
	methods := []Sample{level(4, seeds...), level(1, seeds...), level(1.01, seeds...), level(1e250, seeds...)}
	r, err := Rank(nrmse, methods)
	require.NoError(t, err)
	assert.Equal(t, []Places{{3, 3}, {1, 2}, {1, 2}, {4, 4}}, r.Places, "the lowest is the best")
	for _, c := range r.Comparisons {
		assert.LessOrEqual(t, c.Ratios.Low, c.Ratio)
		assert.GreaterOrEqual(t, c.Ratios.High, c.Ratio)
		assert.Equal(t, c.Difference > 0, c.Ratio > 1)
	}
	higher := nrmse
	higher.LowerIsBetter = false
	r, err = Rank(higher, methods)
	require.NoError(t, err)
	assert.Equal(t, []Places{{2, 2}, {3, 4}, {3, 4}, {1, 1}}, r.Places, "or the highest, of times for instance")

	none := Sample{}
	same := Sample{}
	for _, s := range seeds {
		none[s], same[s] = make([]float64, 400), slices.Clone(methods[1][s])
		for i := range same[s] {
			same[s][i] *= 1.5
		}
	}
	pairs, err := ComparePairs(nrmse, [][2]Sample{
		{none, methods[0]}, {methods[0], none}, {none, none}, {same, methods[1]}, {methods[1], methods[1]},
		{level(1, 0, 1), level(4, 0, 1)}, {level(1, 0), level(1, 5)},
	})
	require.NoError(t, err)
	assert.Less(t, pairs[0].Adjusted, Alpha)
	assert.Zero(t, pairs[0].Ratio)
	assert.Less(t, pairs[1].Adjusted, Alpha)
	assert.Equal(t, math.MaxFloat64, pairs[1].Ratio)
	assert.Equal(t, 1.0, pairs[2].P)
	assert.Less(t, pairs[3].Adjusted, Alpha, "the sign test")
	assert.InDelta(t, 1.5, pairs[3].Ratio, 1e-9)
	assert.Equal(t, 1.0, pairs[4].P)
	assert.Equal(t, anyRatio, pairs[5].Ratios, "two seeds are no test")
	assert.True(t, math.IsNaN(pairs[6].Ratio))
}

// FuzzErrors: whatever the errors, intervals and probabilities are finite.
func FuzzErrors(f *testing.F) {
	f.Add([]byte{0, 255, 255, 255, 0, 255}, 2, 1.0)
	f.Add([]byte{1, 2, 3, 4, 0, 0, 0, 0, 9, 9, 9, 9}, 3, 1e300)
	f.Add([]byte{255, 254, 1, 9}, 1, 1e-320)
	f.Fuzz(func(t *testing.T, values []byte, seeds int, factor float64) {
		if seeds < 1 || len(values) < seeds || !(factor >= 0 && factor < 1e303) {
			return
		}
		starts := len(values) / seeds
		scores, less := Sample{}, Sample{}
		var table [][]float64
		for s := range seeds {
			var row, other []float64
			for _, v := range values[s*starts : (s+1)*starts] {
				row, other = append(row, math.Expm1(float64(v)/25)*factor), append(other, float64(v))
			}
			scores[int64(s)], less[int64(s)] = row, other
			table = append(table, row)
		}
		sensible(t, nrmse, table)
		all, err := ComparePairs(nrmse, [][2]Sample{{scores, less}, {less, scores}})
		require.NoError(t, err)
		for _, c := range all {
			require.True(t, c.P >= 0 && c.P <= 1, "%+v", c)
			require.False(t, math.IsInf(c.Ratio, 0) || math.IsNaN(c.Ratios.Low) || math.IsInf(c.Ratios.High, 0), "%+v", c)
		}
	})
}
