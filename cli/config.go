package cli

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/registry"
)

// maxConfig is the largest size of a configuration file, in bytes.
const maxConfig = 1 << 20

// notConfigured are the flags that have no place in a configuration file, and notKept those that have no place in the
// one that is kept with the results: they say how a command shows what it does, which part of the runs or what else it
// makes, or what is trusted.
var (
	notConfigured = []string{"config", "help"}
	notKept       = append([]string{"quiet", "verbose", "profile", "shard", "tasks", "force", "dry-run"}, trusting...)
)

// readConfig sets the flags that the file gives a value and the command line does not. The keys are
// the names of the flags; paths are relative to the file. The error names file and line.
func readConfig(path string, flags *pflag.FlagSet) error {
	text, err := foreign.Read(path, maxConfig)
	switch {
	case errors.Is(err, foreign.ErrTooLarge):
		return usagef("--config: %s has more than %d bytes, the limit of a configuration", path, maxConfig)
	case err != nil:
		return usagef("--config: %w", err)
	}
	return setFlags(text, path, flags)
}

// setFlags is readConfig for the text of a file.
func setFlags(text []byte, path string, flags *pflag.FlagSet) error {
	c := config{path, flags}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return usagef("--config %s: %s", path, strings.TrimPrefix(firstLine(err.Error()), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return usagef(
			"--config %s: after the first document there is a second one, or text that is not YAML; a configuration has one "+
				"document",
			path)
	}
	root := resolved(document.Content[0])
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return c.at(root, "write a configuration as lines of key: value")
	}
	lines := map[string]int{}
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], resolved(root.Content[i+1])
		if first := lines[key.Value]; first > 0 {
			return c.at(key, "%s is given twice; the first is in line %d", key.Value, first)
		}
		lines[key.Value] = key.Line
		if err := c.set(key, value); err != nil {
			return err
		}
	}
	return nil
}

// resolved is the node that an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// config is a configuration being read.
type config struct {
	path  string
	flags *pflag.FlagSet
}

// at is an error in the file, with its line.
func (c config) at(n *yaml.Node, format string, values ...any) error {
	return usageError{fmt.Errorf("--config %s: line %d: "+format, append([]any{c.path, n.Line}, values...)...)}
}

// keys are the names that a file may use.
func (c config) keys() []string {
	var keys []string
	c.flags.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(notConfigured, f.Name) {
			keys = append(keys, f.Name)
		}
	})
	slices.Sort(keys)
	return keys
}

func (c config) set(key, value *yaml.Node) error {
	if key.Kind != yaml.ScalarNode || !slices.Contains(c.keys(), key.Value) {
		if near := core.Nearest(key.Value, c.keys()); near != "" {
			return c.at(key, "there is no key %q; did you mean %q? The keys are the names of flags", key.Value, near)
		}
		return c.at(key, "there is no key %q; the keys are the names of flags", key.Value)
	}
	flag := c.flags.Lookup(key.Value)
	if flag.Changed {
		return nil
	}
	texts, err := c.texts(flag, key, value)
	if err == nil {
		err = c.checkTrust(flag, value, texts)
	}
	if err != nil {
		return err
	}
	for _, text := range texts {
		if err := flag.Value.Set(text); err != nil {
			if flag.Value.Type() == "bool" {
				return c.at(value, "%s: %q: give true or false", key.Value, text)
			}
			return c.at(value, "%s: %q: %w", key.Value, text, err)
		}
	}
	flag.Changed = true
	return nil
}

// texts are the values as the command line would have them: one, except for flags that may be repeated.
func (c config) texts(flag *pflag.Flag, key, value *yaml.Node) ([]string, error) {
	elements := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		elements = value.Content
	}
	_, repeats := flag.Value.(list)
	_, joins := listed[flag.Name]
	if value.Kind == yaml.SequenceNode && !repeats && !joins {
		return nil, c.at(value, "%s takes one value, not a list", key.Value)
	}
	if len(elements) == 0 && !repeats {
		return nil, c.at(value, "%s has an empty list", key.Value)
	}
	var texts []string
	length := 0
	for _, e := range elements {
		text, err := c.text(flag, key, resolved(e))
		if err != nil {
			return nil, err
		}
		if length += len(text); length > maxConfig { // aliases repeat what they stand for
			return nil, c.at(value, "%s has more than %d bytes, the limit of a configuration", key.Value, maxConfig)
		}
		texts = append(texts, text)
	}
	if repeats {
		return texts, nil
	}
	return []string{strings.Join(texts, ",")}, nil
}

// listed are the flags whose value is a list separated by commas.
var listed = map[string]bool{"methods": true, "tasks": true, "seeds": true, core.SplitOption: true}

// selected are the flags whose values are things with options.
var selected = map[string]string{"methods": "a method", "oracle": "an oracle", "task": "a task", "tasks": "a task"}

// text is one value, or one element of a list, as the command line would have it.
func (c config) text(flag *pflag.Flag, key, value *yaml.Node) (string, error) {
	if thing := selected[flag.Name]; thing != "" && value.Kind == yaml.MappingNode {
		return c.selection(thing, value)
	}
	switch {
	case value.Kind != yaml.ScalarNode:
		return "", c.at(value, "%s must have a text or a number here", key.Value)
	case value.Tag == "!!null":
		return "", c.at(value, "%s has no value; leave out the line to get the default", key.Value)
	}
	text, err := c.decoded(key.Value, value)
	return c.absolute(flag, text), err
}

// decoded is the text of a value. One that is not UTF-8, of a path, YAML holds as !!binary.
func (c config) decoded(key string, value *yaml.Node) (string, error) {
	if value.Tag != "!!binary" {
		return value.Value, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value.Value), ""))
	if err != nil {
		return "", c.at(value, "%s: it is marked as !!binary but is not Base64: %w", key, err)
	}
	return string(decoded), nil
}

// selection is a thing with options, written name: {option: value}, as the command line would have
// it.
func (c config) selection(thing string, n *yaml.Node) (string, error) {
	form := thing + " with options has the form NAME: {OPTION: VALUE, OPTION: VALUE}"
	if len(n.Content) != 2 || n.Content[0].Kind != yaml.ScalarNode {
		return "", c.at(n, form+", one name per element")
	}
	name, options := n.Content[0], resolved(n.Content[1])
	if options.Kind == yaml.ScalarNode && options.Tag == "!!null" {
		return name.Value, nil
	}
	if options.Kind != yaml.MappingNode {
		return "", c.at(options, form)
	}
	var pairs []string
	for i := 0; i < len(options.Content); i += 2 {
		option, value := options.Content[i], resolved(options.Content[i+1])
		if value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
			return "", c.at(value, "the option %s of %s takes one value", option.Value, name.Value)
		}
		text, err := c.decoded(option.Value, value)
		if err != nil {
			return "", err
		}
		if thing == selected["task"] && option.Value == core.DataOption && text != "" && !filepath.IsAbs(text) {
			text = filepath.Join(filepath.Dir(c.path), text)
		}
		pairs = append(pairs, option.Value+"="+registry.EscapeValue(text))
	}
	if len(pairs) == 0 {
		return name.Value, nil
	}
	return name.Value + "?" + strings.Join(pairs, "&"), nil
}

// isPath says that a flag's value is a file or folder.
func isPath(flag *pflag.Flag) bool {
	return slices.Contains([]string{"DIR", "FILE"}, flag.Value.Type())
}

// absolute makes a path in the file one that is relative to the file's folder.
func (c config) absolute(flag *pflag.Flag, text string) string {
	folder := filepath.Dir(c.path)
	plugin, ofXLA := strings.CutPrefix(text, xlaBackend+":")
	switch {
	case isPath(flag) && text != "" && !filepath.IsAbs(text):
		return filepath.Join(folder, text)
	case flag.Name == "backend" && ofXLA && !filepath.IsAbs(plugin):
		return xlaBackend + ":" + filepath.Join(folder, plugin)
	}
	return text
}
