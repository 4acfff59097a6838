// Package describe translates descriptions and options between core and the wire.
package describe

import (
	"fmt"
	"math"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// Thing returns a description as it is sent, but for what the thing can load.
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
	d := core.Description{Name: t.GetName(), Summary: t.GetSummary(), Doc: t.GetDoc(), Exposure: core.Exposure(t.GetExposure())}
	for _, o := range t.GetOptions() {
		d.Options = append(d.Options, core.Option{
			Name: o.GetName(), Doc: o.GetDoc(), Default: native(o.GetDefault()), Min: o.GetMin(), Max: o.GetMax(), Choices: o.GetChoices(),
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

// Report returns a report as it is sent.
func Report(r core.Report) *wire.Report {
	w := &wire.Report{
		Untrained: r.Untrained, Warnings: r.Warnings, Rank: uint64(max(r.Rank, 0)), Parameters: uint64(max(r.Parameters, 0)), CompileSeconds: r.CompileSeconds,
	}
	for _, e := range r.History {
		w.History = append(w.History, Epoch(e))
	}
	return w
}

// CoreReport returns the report that was sent.
func CoreReport(w *wire.Report) core.Report {
	r := core.Report{
		Untrained: w.GetUntrained(), Warnings: w.GetWarnings(), Rank: whole(w.GetRank()), Parameters: whole(w.GetParameters()),
		CompileSeconds: w.GetCompileSeconds(),
	}
	for _, e := range w.GetHistory() {
		r.History = append(r.History, CoreEpoch(e))
	}
	return r
}

// Epoch returns an epoch as it is sent.
func Epoch(e core.Epoch) *wire.Epoch {
	return &wire.Epoch{Number: uint64(max(e.Number, 0)), Train: e.Train, Validation: e.Validation}
}

// CoreEpoch returns the epoch that was sent.
func CoreEpoch(e *wire.Epoch) core.Epoch {
	return core.Epoch{Number: whole(e.GetNumber()), Train: e.GetTrain(), Validation: e.GetValidation()}
}

func whole(n uint64) int { return int(min(n, math.MaxInt32)) }
