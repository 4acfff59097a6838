package core_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

var described = core.Description{
	Name: "mine", Summary: "A method", Options: []core.Option{
		core.IntOption("epochs", 50, 1, 1000, "passes over the data"),
		core.FloatOption("lr", 2e-3, 1e-9, 1, "step size"),
		core.BoolOption("centre", false, "subtract the mean"),
		core.ChoiceOption("variant", "which one", "reduced-rank", "full"),
		core.TextOption("weights", "none", 10, "file of weights"),
	},
}

func TestParseOptions(t *testing.T) {
	require.NoError(t, described.Validate())
	o, err := described.ParseOptions(map[string]string{"epochs": "3", "centre": "true", "variant": "full"})
	require.NoError(t, err)
	assert.Equal(t, 3, o.Int("epochs"))
	assert.Equal(t, 2e-3, o.Float("lr"))
	assert.True(t, o.Bool("centre"))
	assert.Equal(t, "full", o.String("variant"))
	assert.Equal(t, "none", o.String("weights"))
	o.Map()["epochs"] = 7
	assert.Equal(t, 3, o.Int("epochs"), "the map handed out is a copy")
}

func TestParseOptionsRefuses(t *testing.T) {
	for name, c := range map[string]struct{ option, value, says string }{
		"unknown":      {"epoch", "3", `did you mean "epochs"?`},
		"not a number": {"epochs", "many", `"many" is not a whole number`},
		"fraction":     {"epochs", "1.5", "is not a whole number"},
		"too small":    {"epochs", "0", "give 1 … 1000"},
		"too large":    {"lr", "2", "give 1e-09 … 1"},
		"NaN":          {"lr", "NaN", "give 1e-09"},
		"not a switch": {"centre", "perhaps", "is not true or false"},
		"long text":    {"weights", "12345678901", `weights="12345678901": the text has 11 bytes; the most is 10`},
		"other bytes":  {"weights", "\xff", `the text is "\xff", which is not UTF-8`},
		"new line":     {"weights", "a\nb", `weights="a\nb": the text has a control character; leave it out`},
		"C1 control":   {"weights", "a\u009bb", "has a control character"},
		"no choice":    {"variant", "half", "give reduced-rank, full"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := described.ParseOptions(map[string]string{c.option: c.value})
			assert.ErrorIs(t, err, core.ErrOption)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "mine")
		})
	}
	_, err := described.Resolve(map[string]any{"epochs": 3.0})
	assert.ErrorIs(t, err, core.ErrOption, "a value of another type")
}

func TestDescriptionRules(t *testing.T) {
	composed := described
	composed.Name = "loss:mine"
	assert.NoError(t, composed.Validate(), "a method made of a part")
	for name, spoil := range map[string]func(*core.Description){
		"no name":              func(d *core.Description) { d.Name = "" },
		"capital":              func(d *core.Description) { d.Name = "Mine" },
		"long name":            func(d *core.Description) { d.Name = "a234567890123456789012345678901234567890x" },
		"other prefix":         func(d *core.Description) { d.Name = "oracle:mine" },
		"no summary":           func(d *core.Description) { d.Summary = "" },
		"unknown exposure":     func(d *core.Description) { d.Exposure = "everything" },
		"option twice":         func(d *core.Description) { d.Options = append(d.Options, d.Options[0]) },
		"option name":          func(d *core.Description) { d.Options[0].Name = "max-epochs" },
		"option without doc":   func(d *core.Description) { d.Options[0].Doc = "" },
		"default of no type":   func(d *core.Description) { d.Options[0].Default = int64(1) },
		"default out of range": func(d *core.Description) { d.Options[0].Default = 0 },
		"choice of nothing":    func(d *core.Description) { d.Options[3] = core.ChoiceOption("variant", "which") },
	} {
		t.Run(name, func(t *testing.T) {
			d := described
			d.Options = append([]core.Option{}, described.Options...)
			spoil(&d)
			assert.ErrorIs(t, d.Validate(), core.ErrDescription)
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"linear", "vamp", "contrastive", "autoencoder", "classifier"}
	for word, want := range map[string]string{
		"vmap": "vamp", "liner": "linear", "Contrastiv": "contrastive", "autoencodr": "autoencoder", "zzzzzzzz": "",
		"vamp": "vamp",
	} {
		assert.Equal(t, want, core.Nearest(word, known), word)
	}
	assert.Contains(t, core.Unknown("method", "x", nil), "no other method here")
}

func FuzzParseOption(f *testing.F) {
	f.Add("3")
	f.Add("-1e400")
	f.Add("true")
	f.Fuzz(func(t *testing.T, text string) {
		for _, o := range described.Options {
			if value, err := o.Parse(text); err == nil {
				require.NoError(t, o.Check(value))
			} else {
				require.ErrorIs(t, err, core.ErrOption)
			}
		}
	})
}

// TestNumbersHaveFiniteBounds: no infinite bound, and no default beyond a bound, gets into results,
// which JSON holds.
func TestNumbersHaveFiniteBounds(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for name, c := range map[string]struct {
		option core.Option
		says   string
	}{
		"infinite default":     {core.FloatOption("x", inf, 0, inf, "x"), "both ends must be finite"},
		"infinite max":         {core.FloatOption("x", 1, 0, inf, "x"), "takes numbers in 0 … +Inf"},
		"infinite min":         {core.FloatOption("x", 1, -inf, 1, "x"), "takes numbers in -Inf … 1"},
		"max not a number":     {core.FloatOption("x", 1, 0, nan, "x"), "0 … NaN"},
		"default not a number": {core.FloatOption("x", nan, 0, 1, "x"), "x=NaN: give 0 … 1"},
		"max of a switch": {
			core.Option{Name: "x", Doc: "x", Default: true, Max: inf},
			"both ends must be finite",
		},
		"ends reversed": {core.FloatOption("x", 1, 2, 0, "x"), "takes numbers in 2 … 0, an empty range"},
		"broken whole bound": {
			core.Option{Name: "x", Doc: "x", Default: 1, Max: 1.5},
			"both ends must be whole",
		},
		"default too large": {core.FloatOption("x", 3, 0, 2, "x"), "x=3: give 0 … 2"},
		"long doc": {
			core.BoolOption("x", true, strings.Repeat("a", 1025)),
			"has 1025 bytes; the most is 1024",
		},
		"doc of other bytes": {core.BoolOption("x", true, "\xff"), "not UTF-8"},
		"long choice": {
			core.ChoiceOption("x", "x", strings.Repeat("a", 1025)),
			"a choice of the option x has 1025 bytes",
		},
		"text of no byte":  {core.TextOption("x", "", 0, "x"), "has neither choices nor a largest size of its text"},
		"text too long":    {core.TextOption("x", "", 4097, "x"), "takes 4097 bytes of text; give a whole number"},
		"text of a part":   {core.Option{Name: "x", Doc: "x", Default: "", Max: 1.5}, "takes 1.5 bytes of text"},
		"default too long": {core.TextOption("x", "ab", 1, "x"), "the text has 2 bytes; the most is 1"},
		"many choices": {
			core.ChoiceOption("x", "x", strings.Split(strings.Repeat("a,", 1024), ",")...),
			"has 1025 choices; the most is 1024",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := core.Description{Name: "mine", Summary: "A method", Options: []core.Option{c.option}}
			assert.ErrorIs(t, d.Validate(), core.ErrDescription)
			assert.ErrorContains(t, d.Validate(), c.says)
		})
	}
}

func TestDescriptionTextsAreBounded(t *testing.T) {
	for says, d := range map[string]core.Description{
		"its summary has 1025 bytes; the most is 1024": {Name: "mine", Summary: strings.Repeat("a", 1025)},
		"its doc has 65537 bytes; the most is 65536":   {Name: "mine", Summary: "a", Doc: strings.Repeat("a", 65537)},
		"its doc is \"\\xff\", which is not UTF-8":     {Name: "mine", Summary: "a", Doc: "\xff"},
		"has 257 options; the most is 256":             {Name: "mine", Summary: "a", Options: make([]core.Option, 257)},
	} {
		assert.ErrorIs(t, d.Validate(), core.ErrDescription)
		assert.ErrorContains(t, d.Validate(), says)
	}
}

// TestTextOptions take any text in UTF-8 of so many bytes, the empty one too.
func TestTextOptions(t *testing.T) {
	o := core.TextOption("path", "", 12, "file of weights")
	assert.Equal(t, "text", o.Type())
	assert.Equal(t, "string", described.Options[3].Type())
	assert.Equal(t, "at most 12 bytes of UTF-8 without control characters", o.Range())
	for _, text := range []string{"", " ", "a,b&c=d?e%f*", "ÄÖÜ/\\'\"", "cuda:0", "日本語文"} {
		value, err := o.Parse(text)
		require.NoError(t, err, text)
		assert.Equal(t, text, value)
	}
	assert.ErrorIs(t, o.Check(3), core.ErrOption)
	assert.ErrorContains(t, o.Check(3), "path=3: give at most 12 bytes of UTF-8 without control characters (text)")
}

// TestRangesWithoutALimit are told without the largest number that there is.
func TestRangesWithoutALimit(t *testing.T) {
	most := math.MaxFloat64
	for want, o := range map[string]core.Option{
		"0.5 … 2":        core.FloatOption("x", 1, 0.5, 2, "x"),
		"at least 0":     core.FloatOption("x", 1, 0, most, "x"),
		"at most 2":      core.FloatOption("x", 1, -most, 2, "x"),
		"a number":       core.FloatOption("x", 1, -most, most, "x"),
		"1 … 9":          core.IntOption("x", 1, 1, 9, "x"),
		"at least 1":     core.IntOption("x", 1, 1, math.MaxInt, "x"),
		"at most 9":      core.IntOption("x", 1, math.MinInt, 9, "x"),
		"a whole number": core.IntOption("x", 1, math.MinInt, math.MaxInt, "x"),
	} {
		assert.Equal(t, want, o.Range())
		d := core.Description{Name: "mine", Summary: "A method", Options: []core.Option{o}}
		assert.NoError(t, d.Validate(), want)
	}
}
