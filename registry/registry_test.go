package registry_test

import (
	"context"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
)

type method struct{ name string }

func (m method) Describe() core.Description {
	return core.Description{Name: m.name, Summary: "a method", Options: []core.Option{
		core.IntOption("epochs", 50, 1, 100, "passes"), core.TextOption("path", "", 40, "file of weights"),
	}}
}

func (method) Fit(context.Context, *core.Training) (core.Model, error) { return nil, nil }

func filled(t *testing.T) *registry.Registry {
	r := registry.New()
	require.NoError(t, r.Methods.Add(method{"vamp"}, method{"linear"}, method{"vamp-deep"}))
	return r
}

func TestAdd(t *testing.T) {
	r := filled(t)
	assert.Equal(t, []string{"linear", "vamp", "vamp-deep"}, r.Methods.Names())
	assert.Len(t, r.Methods.Descriptions(), 3)

	assert.ErrorIs(t, r.Methods.Add(method{"new"}, method{"vamp"}), core.ErrDuplicate)
	assert.ErrorIs(t, r.Methods.Add(method{"new"}, method{"new"}), core.ErrDuplicate)
	assert.ErrorIs(t, r.Methods.Add(method{"Bad Name"}), core.ErrDescription)
	assert.ErrorIs(t, r.Methods.Add(nil), core.ErrDescription)
	var none *method
	assert.ErrorIs(t, r.Methods.Add(none), core.ErrDescription)
	assert.Len(t, r.Methods.Names(), 3, "a refused addition adds nothing")

	_, err := r.Methods.Get("vmap")
	assert.ErrorIs(t, err, core.ErrUnknown)
	assert.ErrorContains(t, err, `no method "vmap"; did you mean "vamp"?`)
	_, err = r.Oracles.Get("cnn")
	assert.ErrorContains(t, err, "no other oracle here")
}

func TestSelect(t *testing.T) {
	for list, want := range map[string][]string{
		"all":                         {"linear", "vamp", "vamp-deep"},
		"vamp":                        {"vamp"},
		"vamp-deep, all":              {"vamp-deep", "linear", "vamp"},
		"v*":                          {"vamp", "vamp-deep"},
		"*deep,l*":                    {"vamp-deep", "linear"},
		"vamp,vamp?epochs=3":          {"vamp", "vamp?epochs=3"},
		"vamp?epochs=2,vamp?epochs=3": {"vamp?epochs=2", "vamp?epochs=3"},
		"vamp?":                       {"vamp?"},
	} {
		t.Run(list, func(t *testing.T) {
			selections, err := filled(t).Select(list)
			require.NoError(t, err)
			var written []string
			for _, s := range selections {
				written = append(written, s.Written)
			}
			assert.Equal(t, want, written)
		})
	}
	selections, err := filled(t).Select("vamp?epochs=3")
	require.NoError(t, err)
	assert.Equal(t, 3, selections[0].Options.Int("epochs"))
}

// TestSelectText: the value of a text may have what separates elements and options, each as % and
// two hexadecimal digits.
func TestSelectText(t *testing.T) {
	for element, want := range map[string]string{
		"vamp?path=/data/w.npz":        "/data/w.npz",
		"vamp?path=":                   "",
		"vamp?path=a=b?c*d+e":          "a=b?c*d+e",
		"vamp?path=a%2Cb%26c%25d%20":   "a,b&c%d ",
		"vamp?path=%C3%84&epochs=%33":  "Ä",
		"vamp?epochs=3&path=cuda:0;ä'": "cuda:0;ä'",
	} {
		selections, err := filled(t).Select(element)
		require.NoError(t, err, element)
		require.Len(t, selections, 1)
		assert.Equal(t, element, selections[0].Written)
		assert.Equal(t, want, selections[0].Options.String("path"))
	}
	for element, says := range map[string]string{
		"vamp?path=50%":    "two hexadecimal digits must follow a %; write %25 for a single %",
		"vamp?path=%zz":    "write %25 for a single %",
		"vamp?path=%0a":    "has a control character",
		"vamp?path=%ff":    "which is not UTF-8",
		"vamp?path=a&b":    `"b" is not key=value`,
		"vamp?%70ath=a":    "did you mean",
		"vamp?epochs=%201": "is not a whole number",
	} {
		_, err := filled(t).Select(element)
		assert.ErrorIs(t, err, core.ErrOption, element)
		assert.ErrorContains(t, err, says)
	}
	assert.Equal(t, "a%2Cb%26c%25d%20=?", registry.EscapeValue("a,b&c%d =?"))
	selections, err := filled(t).Select("vamp?path=" + registry.EscapeValue("\u2003a\u00a0"))
	require.NoError(t, err)
	assert.Equal(t, "\u2003a\u00a0", selections[0].Options.String("path"), "spaces at the ends")
}

func TestOnRequest(t *testing.T) {
	r := filled(t)
	require.NoError(t, r.Methods.AddOnRequest(method{"loss:vamp"}))
	assert.True(t, r.Methods.OnRequest("loss:vamp"))
	assert.False(t, r.Methods.OnRequest("vamp"))
	for list, want := range map[string]int{"all": 3, "all,loss:vamp": 4, "loss:*": 1, "*vamp": 2} {
		selections, err := r.Select(list)
		require.NoError(t, err)
		assert.Len(t, selections, want, list)
	}
}

// TestExpand: lists of things that are no methods have no groups, and errors name the kind.
func TestExpand(t *testing.T) {
	r := filled(t)
	require.NoError(t, r.Group("two", "vamp-deep", "linear"))
	require.NoError(t, r.Methods.AddOnRequest(method{"slow"}))
	for list, want := range map[string][]string{
		"all": {"linear", "vamp", "vamp-deep"}, "s*, vamp?epochs=x,v*": {"slow", "vamp?epochs=x", "vamp", "vamp-deep"},
	} {
		got, err := r.Methods.Expand(list)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := r.Methods.Expand("two")
	require.ErrorIs(t, err, core.ErrUnknown)
	_, err = r.Tasks.Expand("x*")
	assert.ErrorContains(t, err, `no task matches "x*"`)
}

// TestGroup: a group stands for its methods, and a method of its name goes before it.
func TestGroup(t *testing.T) {
	r := filled(t)
	require.NoError(t, r.Group("two", "vamp-deep", "linear"))
	assert.Equal(t, []string{"two"}, r.Groups())
	for list, want := range map[string][]string{
		"two": {"linear", "vamp-deep"}, "vamp-deep,two": {"vamp-deep", "linear"}, "two,all": {"linear", "vamp-deep", "vamp"},
	} {
		selections, err := r.Select(list)
		require.NoError(t, err)
		var names []string
		for _, s := range selections {
			names = append(names, s.Written)
		}
		assert.Equal(t, want, names, list)
	}
	_, err := r.Select("two?epochs=3")
	require.ErrorIs(t, err, core.ErrOption)
	for _, taken := range []string{"two", "vamp", "all"} {
		require.ErrorIs(t, r.Group(taken, "linear"), core.ErrDuplicate, taken)
	}
	require.ErrorIs(t, r.Group("three", "vmap"), core.ErrUnknown)
	require.NoError(t, r.Methods.Add(method{"two"}))
	selections, err := r.Select("two")
	require.NoError(t, err)
	assert.Len(t, selections, 1)
}

func TestSelectRefuses(t *testing.T) {
	for list, want := range map[string]error{
		"":                       core.ErrUnknown,
		"vamp,":                  core.ErrUnknown,
		"vmap":                   core.ErrUnknown,
		"x*":                     core.ErrUnknown,
		"vam.":                   core.ErrUnknown,
		"vamp,vamp":              core.ErrDuplicate,
		"vamp?epoch=3":           core.ErrOption,
		"vamp?epochs=0":          core.ErrOption,
		"vamp?epochs":            core.ErrOption,
		"vamp?epochs=3&epochs=4": core.ErrOption,
		"v*?epochs=3":            core.ErrOption,
	} {
		t.Run(list, func(t *testing.T) {
			_, err := filled(t).Select(list)
			assert.ErrorIs(t, err, want)
		})
	}
}

func FuzzSelect(f *testing.F) {
	for _, seed := range []string{"all", "vamp?epochs=3", "v*,linear", "?=&", ",,", "*?*", "*\x87"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, list string) {
		selections, err := filled(t).Select(list)
		if err == nil {
			require.NotEmpty(t, selections)
		}
		if !utf8.ValidString(list) {
			return
		}
		element := "vamp?path=" + registry.EscapeValue(list)
		selections, err = filled(t).Select(element)
		if err == nil {
			require.Equal(t, list, selections[0].Options.String("path"))
		} else {
			require.Error(t, core.TextOption("path", "", 40, "x").Check(list), element)
		}
	})
}

// TestOf: the set of each kind takes things of that kind alone, and is the one that has a type.
func TestOf(t *testing.T) {
	r := registry.New()
	for _, kind := range core.Kinds() {
		err := r.Of(kind).AddThing(method{"vamp"})
		if kind == core.KindMethod {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, core.ErrDescription)
		assert.ErrorContains(t, err, "a registry_test.method is not of the kind "+kind.Title())
		assert.Empty(t, r.Of(kind).Names())
	}
	assert.Equal(t, []string{"vamp"}, r.Methods.Names())
	thing, err := r.Of(core.KindMethod).GetThing("vamp")
	require.NoError(t, err)
	assert.Equal(t, core.Guard(method{"vamp"}), thing)
	_, err = r.Of(core.KindOperator).GetThing("vamp")
	require.ErrorIs(t, err, core.ErrUnknown)
	assert.Nil(t, r.Of("plugin"))
}
