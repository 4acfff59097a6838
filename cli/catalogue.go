package cli

import (
	"fmt"
	"slices"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/compose"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/linalg"
	"github.com/koopbench/koopbench/methods"
	"github.com/koopbench/koopbench/nn"
	"github.com/koopbench/koopbench/registry"
)

// catalogue is what can be run. A session fills it.
type catalogue struct {
	*registry.Registry
	plugins []*foundPlugin
	from    map[string]*foundPlugin // by qualified name: what plugins serve, and the methods made of their parts
	whole   map[string]bool         // methods that a plugin serves whole, so that it does all of their work

	runtime   *nn.Runtime
	reference core.Embedder // on whose features evolution operators are compared
}

// newCatalogue returns one that is empty.
func newCatalogue(rt *nn.Runtime) *catalogue {
	return &catalogue{from: map[string]*foundPlugin{}, whole: map[string]bool{}, runtime: rt}
}

// composeBuiltin adds the methods made of built-in parts, on request.
func (c *catalogue) composeBuiltin() error {
	c.reference = compose.Share(methods.Reference(c.runtime))
	for _, kind := range core.Kinds() {
		set := c.Of(kind)
		for _, name := range set.Names() {
			part, err := set.GetThing(name)
			if err != nil {
				return err
			}
			if method := c.composed(part); method != nil {
				if err := c.Methods.AddOnRequest(method); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// composed returns the method that is made of a part, nil for a thing of which none is made.
func (c *catalogue) composed(part any) core.Method {
	switch part := part.(type) {
	case core.Embedder:
		return compose.EmbedderMethod(part, linalg.Ridge{})
	case core.EvolutionOperator:
		return compose.OperatorMethod(part, c.reference)
	case core.Loss:
		return compose.LossMethod(c.runtime, part, linalg.Ridge{}, nil)
	}
	return nil
}

// addPlugin adds what a plugin serves, and the methods made of its parts: all of it, or nothing where a name is taken.
func (c *catalogue) addPlugin(p *foundPlugin) error {
	for _, thing := range p.opened.Things {
		if err := c.checkFree(thing); err != nil {
			return err
		}
	}
	for _, thing := range p.opened.Things {
		if err := c.add(p, thing); err != nil {
			return err
		}
	}
	return nil
}

// checkFree returns an error that names both sides if a name is taken.
func (c *catalogue) checkFree(thing any) error {
	kind, name := core.KindOf(thing), describedName(thing)
	if !slices.Contains(c.Of(kind).Names(), name) {
		return nil
	}
	origin := "which is built in"
	if from := c.origin(kind, name); from != nil {
		origin = "which the plugin " + from.path + " serves too"
	}
	return fmt.Errorf("%w: it serves the %s %q, %s; rename one, or use only one of them",
		core.ErrDuplicate, kind.Title(), name, origin)
}

// qualifiedName tells things apart, and is what results call them: "vamp" is a method, "loss:vamp" a part and the
// method that is made of it, "oracle:cnn" and "task:rotation" are of those kinds.
func qualifiedName(kind core.Kind, name string) string {
	if kind == core.KindMethod {
		return name
	}
	return string(kind) + ":" + name
}

// origin returns the plugin that a thing comes from, nil for this program.
func (c *catalogue) origin(kind core.Kind, name string) *foundPlugin {
	return c.from[qualifiedName(kind, name)]
}

// originInfo is what results say of the origin.
func (c *catalogue) originInfo(kind core.Kind, name string) *results.PluginInfo {
	if p := c.origin(kind, name); p != nil {
		return p.info()
	}
	return nil
}

func (c *catalogue) add(p *foundPlugin, thing any) error {
	kind, name := core.KindOf(thing), describedName(thing)
	if err := c.Of(kind).AddThing(thing); err != nil {
		return err
	}
	c.from[qualifiedName(kind, name)] = p
	if kind == core.KindMethod {
		c.whole[name] = true
	}
	if method := c.composed(thing); method != nil {
		return c.Methods.Add(method)
	}
	return nil
}
