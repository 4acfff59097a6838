package core_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
)

var described = core.Description{
	Name: "mine", Summary: "A method", Options: []core.Option{
		core.IntOption("epochs", 50, 1, 1000, "passes over the data"),
		core.FloatOption("lr", 2e-3, 1e-9, 1, "step size"),
		core.BoolOption("center", false, "subtract the mean"),
		core.ChoiceOption("variant", "which one", "reduced-rank", "full"),
	},
}

func TestParseOptions(t *testing.T) {
	require.NoError(t, described.Validate())
	o, err := described.ParseOptions(map[string]string{"epochs": "3", "center": "true", "variant": "full"})
	require.NoError(t, err)
	assert.Equal(t, 3, o.Int("epochs"))
	assert.Equal(t, 2e-3, o.Float("lr"))
	assert.True(t, o.Bool("center"))
	assert.Equal(t, "full", o.String("variant"))
	o.Map()["epochs"] = 7
	assert.Equal(t, 3, o.Int("epochs"), "the map handed out is a copy")
}

func TestParseOptionsRefuses(t *testing.T) {
	for name, c := range map[string]struct{ option, value, says string }{
		"unknown":      {"epoch", "3", `did you mean "epochs"?`},
		"not a number": {"epochs", "many", `"many" is not a whole number`},
		"fraction":     {"epochs", "1.5", "is not a whole number"},
		"too small":    {"epochs", "0", "it takes 1 … 1000"},
		"too large":    {"lr", "2", "it takes 1e-09 … 1"},
		"NaN":          {"lr", "NaN", "it takes"},
		"not a switch": {"center", "perhaps", "is not true or false"},
		"no choice":    {"variant", "half", "it takes reduced-rank, full"},
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
		"vmap": "vamp", "liner": "linear", "Contrastiv": "contrastive", "autoencodr": "autoencoder", "zzzzzzzz": "", "vamp": "vamp",
	} {
		assert.Equal(t, want, core.Nearest(word, known), word)
	}
	assert.Contains(t, core.Unknown("method", "x", nil), "none at all")
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
