package core_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

func TestReportRules(t *testing.T) {
	sentence := strings.Repeat("a", 8192)
	largest := core.Report{
		Untrained: sentence, Warnings: make([]string, 1000), History: make([]core.Epoch, 1_000_000),
		Rank: core.MaxCount, Parameters: core.MaxCount, CompileSeconds: 1e9,
	}
	for i := range largest.History {
		largest.History[i] = core.Epoch{Number: i + 1, Train: math.NaN(), Validation: math.Inf(-1)}
	}
	for i := range largest.Warnings {
		largest.Warnings[i] = sentence
	}
	require.NoError(t, largest.Validate())
	assert.NoError(t, core.Report{}.Validate())
	assert.NoError(t, core.Report{History: []core.Epoch{{Number: 7}, {Number: 9}}}.Validate(), "epochs may be left out")

	for says, spoil := range map[string]func(*core.Report){
		"untrained has 8193 bytes; the most is 8192": func(r *core.Report) { r.Untrained += "a" },
		"there are 1001 warnings; the most is 1000": func(r *core.Report) {
			r.Warnings = append(r.Warnings, "")
		},
		"warning 2 has 8193 bytes; the most is 8192": func(r *core.Report) { r.Warnings[1] += "a" },
		"the history has 1000001 epochs; the most is 1000000": func(r *core.Report) {
			r.History = append(r.History, core.Epoch{Number: 2_000_000})
		},
		"entry 1 of the history is epoch 0, after epoch 0": func(r *core.Report) {
			r.History = []core.Epoch{{}}
		},
		"entry 3 of the history is epoch 2, after epoch 2": func(r *core.Report) {
			r.History = []core.Epoch{{Number: 1}, {Number: 2}, {Number: 2}}
		},
		"entry 1 of the history is epoch 9007199254740993; the most is 9007199254740992": func(r *core.Report) {
			r.History = []core.Epoch{{Number: 9007199254740993}}
		},
		"the rank is -1; it must be in 0 … 9007199254740992": func(r *core.Report) { r.Rank = -1 },
		"the rank is 9007199254740993; it must be in 0 …":    func(r *core.Report) { r.Rank = core.MaxCount + 1 },
		"the number of parameters is -1; it must be in 0 …":  func(r *core.Report) { r.Parameters = -1 },
		"the number of parameters is 9223372036854775807":    func(r *core.Report) { r.Parameters = math.MaxInt },
		"compile_seconds is NaN; it must be a number in 0 … 1000000000": func(r *core.Report) {
			r.CompileSeconds = math.NaN()
		},
		"compile_seconds is +Inf":    func(r *core.Report) { r.CompileSeconds = math.Inf(1) },
		"compile_seconds is -1e-300": func(r *core.Report) { r.CompileSeconds = -1e-300 },
		"compile_seconds is 1e+308":  func(r *core.Report) { r.CompileSeconds = 1e308 },
	} {
		t.Run(says, func(t *testing.T) {
			r := largest
			r.Warnings = append([]string{}, largest.Warnings...)
			spoil(&r)
			assert.ErrorIs(t, r.Validate(), core.ErrContract)
			assert.ErrorContains(t, r.Validate(), says)
		})
	}
}

// TestContain: however a call ends, it ends.
func TestContain(t *testing.T) {
	sad := errors.New("sad")
	for name, c := range map[string]struct {
		call func() error
		want error
		says string
	}{
		"an error":         {func() error { return sad }, sad, "sad"},
		"a panic":          {func() error { panic("boom") }, core.ErrPanic, "boom"},
		"an error's panic": {func() error { panic(sad) }, sad, "sad"},
		"Goexit":           {func() error { runtime.Goexit(); return nil }, core.ErrPanic, "runtime.Goexit was called"},
	} {
		t.Run(name, func(t *testing.T) {
			err := core.Contain(c.call)
			assert.ErrorIs(t, err, c.want)
			assert.ErrorContains(t, err, c.says)
		})
	}
	assert.NoError(t, core.Contain(func() error { return nil }))
}
