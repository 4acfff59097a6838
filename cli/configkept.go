package cli

import (
	"bytes"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/registry"
)

const keptHead = "The configuration that made these results. To make them again: run --config config.yaml"

// keptConfig is a configuration file that means the plan, for the folder of its results: patterns
// are the names that they stood for, defaults are written out, and paths are absolute except for the
// folder itself. backend is the one that was chosen.
func keptConfig(flags *pflag.FlagSet, p *benchmark.Plan, task *taskFlags, backend string) ([]byte, error) {
	content, err := keptValues(flags, func(flag *pflag.Flag) (*yaml.Node, error) {
		if slices.Contains(notConfigured, flag.Name) || slices.Contains(notKept, flag.Name) {
			return nil, nil
		}
		return keptValue(flag, p, task, backend)
	})
	if err != nil {
		return nil, err
	}
	return configText(keptHead, content)
}

// keptValues are keys and values of flags; one whose value is nil is left out.
func keptValues(
	flags *pflag.FlagSet, valueOf func(*pflag.Flag) (*yaml.Node, error),
) (content []*yaml.Node, failure error) {
	flags.VisitAll(func(flag *pflag.Flag) {
		value, err := valueOf(flag)
		if failure = errors.Join(failure, err); value != nil {
			content = append(content, scalar(flag.Name), value)
		}
	})
	return content, failure
}

// configText is a configuration file with a heading.
func configText(head string, content []*yaml.Node) ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := encoder.Encode(&yaml.Node{Kind: yaml.MappingNode, HeadComment: head, Content: content}); err != nil {
		return nil, err
	}
	return text.Bytes(), encoder.Close()
}

// keptValue is nil for a flag whose value says nothing.
func keptValue(flag *pflag.Flag, p *benchmark.Plan, task *taskFlags, backend string) (*yaml.Node, error) {
	if isShortForm(flag.Name) {
		return nil, nil // the task has its options
	}
	switch flag.Name {
	case "out":
		return scalar("."), nil
	case "backend":
		return scalar(backend), nil
	case "task":
		return taskNode(p.Task.Info, task.data())
	case "methods":
		return methodNodes(p.Entries), nil
	case "oracle":
		return selectionNode(flag.Value.String()), nil
	}
	if l, ok := flag.Value.(list); ok {
		values := slices.Clone(*l.values)
		if flag.Name == "plugin" {
			values = append(values, takingPart(p)...)
		}
		return pathNodes(values)
	}
	text := flag.Value.String()
	if text == "" || text == "0" && !flag.Changed {
		return nil, nil
	}
	if isPath(flag) {
		absolute, err := filepath.Abs(text)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(absolute); errors.Is(err, fs.ErrNotExist) && !flag.Changed {
			return nil, nil
		}
		text = absolute
	}
	return scalar(text), nil
}

func scalar(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if slices.Contains([]string{"", "~", "null", "Null", "NULL"}, text) {
		n.Tag = "!!str"
	}
	return n
}

func methodNodes(entries []benchmark.Entry) *yaml.Node {
	nodes := &yaml.Node{Kind: yaml.SequenceNode}
	for _, e := range entries {
		nodes.Content = append(nodes.Content, selectionNode(e.Written))
	}
	return nodes
}

// selectionNode is a name with options as a mapping, from which a configuration makes the same text
// again, or the text.
func selectionNode(text string) *yaml.Node {
	name, query, _ := strings.Cut(text, "?")
	if query == "" {
		return scalar(name)
	}
	options := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for pair := range strings.SplitSeq(query, "&") {
		option, escaped, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(escaped)
		if err != nil || registry.EscapeValue(value) != escaped {
			return scalar(text)
		}
		options.Content = append(options.Content, scalar(option), scalar(value))
	}
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar(name), options}}
}

// takingPart lists the plugins that serve a method or the oracle of a plan: they may have been
// found in a folder that the environment names.
func takingPart(p *benchmark.Plan) []string {
	var paths []string
	add := func(i *results.PluginInfo) {
		if i != nil {
			paths = append(paths, i.Path)
		}
	}
	add(p.Oracle.Plugin)
	for _, e := range p.Entries {
		add(e.Plugin)
	}
	return paths
}

// pathNodes is a list of absolute paths, each once; nil for none.
func pathNodes(paths []string) (*yaml.Node, error) {
	nodes := &yaml.Node{Kind: yaml.SequenceNode}
	seen := map[string]bool{}
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		if !seen[absolute] {
			seen[absolute] = true
			nodes.Content = append(nodes.Content, scalar(absolute))
		}
	}
	if len(nodes.Content) == 0 {
		return nil, nil
	}
	return nodes, nil
}
