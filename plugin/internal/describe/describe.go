// Package describe translates descriptions and options between core and the wire.
package describe

import (
	"fmt"
	"math"
	"strings"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/internal/transfer"
	"github.com/koopbench/koopbench/plugin/wire"
)

// WireKind returns a kind as it is sent, under the same name; KIND_UNSPECIFIED for one that the
// wire format does not have.
func WireKind(k core.Kind) wire.Kind { return wire.Kind(wire.Kind_value[strings.ToUpper(string(k))]) }

// CoreKind returns the kind that was sent, "" for none.
func CoreKind(sent wire.Kind) core.Kind {
	for _, k := range core.Kinds() {
		if WireKind(k) == sent && sent != wire.Kind_KIND_UNSPECIFIED {
			return k
		}
	}
	return ""
}

// AbilityName returns what an ability of something fitted is called on the wire, "" for one that is
// not sent there by name.
func AbilityName(a core.Ability) string {
	switch a {
	case core.AbilityDecoder:
		return "decode"
	case core.AbilityEncoder:
		return "encoder"
	case core.AbilityForecaster:
		return "forecast"
	case core.AbilitySaver:
		return "save"
	case core.AbilitySpectral, core.AbilitySpectralOperator:
		return "spectrum"
	case core.AbilityRightSpectral:
		return "right-eigenfunctions"
	}
	return ""
}

// Thing returns a description as it is sent, except for what the thing can load.
func Thing(kind wire.Kind, d core.Description) *wire.Thing {
	t := &wire.Thing{Kind: kind, Name: d.Name, Summary: d.Summary, Doc: d.Doc, Exposure: string(d.Exposure)}
	for _, o := range d.Options {
		t.Options = append(t.Options, &wire.Option{
			Name: o.Name, Doc: o.Doc, Default: value(o.Default), Min: o.Min, Max: o.Max, Choices: o.Choices,
		})
	}
	return t
}

// Description returns the description that was sent, which the caller must validate.
func Description(t *wire.Thing) core.Description {
	d := core.Description{Name: t.GetName(), Summary: t.GetSummary(), Doc: t.GetDoc(),
		Exposure: core.Exposure(t.GetExposure())}
	for _, o := range t.GetOptions() {
		d.Options = append(d.Options, core.Option{
			Name: o.GetName(), Doc: o.GetDoc(), Default: native(o.GetDefault()), Min: o.GetMin(), Max: o.GetMax(),
			Choices: o.GetChoices(),
		})
	}
	return d
}

// Values returns options as they are sent.
func Values(o core.Options) map[string]*wire.Value {
	values := map[string]*wire.Value{}
	for name, v := range o.Map() {
		values[name] = value(v)
	}
	return values
}

// Options returns the options that were sent, checked against the description. The error is [core.ErrOption].
func Options(d core.Description, values map[string]*wire.Value) (core.Options, error) {
	given := map[string]any{}
	for name, v := range values {
		given[name] = native(v)
	}
	return d.Resolve(given)
}

func value(v any) *wire.Value {
	switch v := v.(type) {
	case bool:
		return &wire.Value{Value: &wire.Value_Switch{Switch: v}}
	case int:
		return &wire.Value{Value: &wire.Value_Whole{Whole: int64(v)}}
	case float64:
		return &wire.Value{Value: &wire.Value_Number{Number: v}}
	}
	return &wire.Value{Value: &wire.Value_Choice{Choice: fmt.Sprint(v)}}
}

// native returns the value that was sent, nil for none: a description with such a default is refused.
func native(v *wire.Value) any {
	switch v := v.GetValue().(type) {
	case *wire.Value_Switch:
		return v.Switch
	case *wire.Value_Whole:
		if v.Whole > math.MaxInt || v.Whole < math.MinInt {
			return nil
		}
		return int(v.Whole)
	case *wire.Value_Number:
		return v.Number
	case *wire.Value_Choice:
		return v.Choice
	}
	return nil
}

// Report returns a report as it is sent. The error is that of [core.Report.Validate].
func Report(r core.Report) (*wire.Report, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	w := &wire.Report{
		Untrained: transfer.Text(r.Untrained, core.MaxSentence), Warnings: transfer.Texts(r.Warnings, core.MaxSentence),
		Rank: uint64(r.Rank), Parameters: uint64(r.Parameters), CompileSeconds: r.CompileSeconds,
	}
	for _, e := range r.History {
		sent, err := Epoch(e)
		if err != nil {
			return nil, err
		}
		w.History = append(w.History, sent)
	}
	return w, nil
}

// CoreReport returns the report that was sent, which the caller must validate. The error is
// [core.ErrContract] for a number that is too large.
func CoreReport(w *wire.Report) (r core.Report, err error) {
	r = core.Report{Untrained: w.GetUntrained(), Warnings: w.GetWarnings(), CompileSeconds: w.GetCompileSeconds()}
	if r.Rank, err = CoreCount("rank", w.GetRank()); err != nil {
		return core.Report{}, err
	}
	if r.Parameters, err = CoreCount("number of parameters", w.GetParameters()); err != nil {
		return core.Report{}, err
	}
	for _, e := range w.GetHistory() {
		epoch, err := CoreEpoch(e)
		if err != nil {
			return core.Report{}, err
		}
		r.History = append(r.History, epoch)
	}
	return r, nil
}

// Epoch returns an epoch as it is sent, with the error of [Count].
func Epoch(e core.Epoch) (*wire.Epoch, error) {
	number, err := Count("number of an epoch", e.Number)
	return &wire.Epoch{Number: number, Train: e.Train, Validation: e.Validation}, err
}

// CoreEpoch returns the epoch that was sent, with the error of [CoreCount].
func CoreEpoch(e *wire.Epoch) (core.Epoch, error) {
	number, err := CoreCount("number of an epoch", e.GetNumber())
	return core.Epoch{Number: number, Train: e.GetTrain(), Validation: e.GetValidation()}, err
}

// Count returns a count as it is sent. The error is [core.ErrContract] for one below 0 or above
// [core.MaxCount].
func Count(what string, n int) (uint64, error) {
	if n < 0 || n > core.MaxCount {
		return 0, fmt.Errorf("%w: a %s of %d; it must be in 0 … %d", core.ErrContract, what, n, core.MaxCount)
	}
	return uint64(n), nil
}

// CoreCount returns the count that was sent, with the error of [Count].
func CoreCount(what string, n uint64) (int, error) {
	if n > core.MaxCount {
		return 0, fmt.Errorf("%w: a %s of %d; the most is %d", core.ErrContract, what, n, core.MaxCount)
	}
	return int(n), nil
}
