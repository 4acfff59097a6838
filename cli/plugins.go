package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// foundPlugin is a plugin that was named or found: opened, or broken for a reason.
type foundPlugin struct {
	path   string
	named  bool           // on the command line
	trust  plugin.Options // to open it with, without logs
	opened *plugin.Plugin
	broken error
}

// info is what results say of it.
func (p *foundPlugin) info() *results.PluginInfo {
	i := p.opened.Info()
	return &results.PluginInfo{
		Path: i.Path, SHA256: i.SHA256, Protocol: i.Protocol, Version: i.Version, SDK: i.SDK, Pinned: i.Pinned,
	}
}

// checkUnchanged returns an error if the file had another SHA-256 when it was opened.
func (p *foundPlugin) checkUnchanged(sum string) error {
	if sum == p.opened.Info().SHA256 {
		return nil
	}
	return fmt.Errorf("%w: the plugin %s has changed since the command began; start the command again",
		plugin.ErrLock, p.path)
}

// openPlugins opens all plugins, several at once. A named one that is broken is an error, one in a folder is not.
func (s *session) openPlugins(ctx context.Context, f *pluginFlags) error {
	plugins, err := findPlugins(f)
	if err != nil {
		return err
	}
	pins, err := f.pins()
	if err != nil {
		return err
	}
	for _, p := range plugins {
		p.trust = pins.options(p.path, s.warn)
	}
	s.plugins = plugins
	someAtOnce(plugins, func(p *foundPlugin) {
		if p.broken = ctx.Err(); p.broken == nil {
			options := p.trust
			options.Log, options.LogFile = s.logs.of(p.path), s.logs.file(p.path)
			p.opened, p.broken = plugin.Open(ctx, p.path, &options)
		}
	})
	if ctx.Err() != nil && len(plugins) > 0 {
		return stoppedWhile("the plugins described themselves")
	}
	for _, p := range plugins {
		if p.named && p.broken != nil {
			return fmt.Errorf("--plugin: %w", p.broken)
		}
	}
	return nil
}

// someAtOnce calls do for each plugin, for as many at once as there are threads to run them, and 8
// at most: a folder may hold a thousand.
func someAtOnce(plugins []*foundPlugin, do func(*foundPlugin)) {
	const most = 8
	places := make(chan struct{}, min(most, runtime.GOMAXPROCS(0)))
	var calls sync.WaitGroup
	for _, p := range plugins {
		places <- struct{}{}
		calls.Go(func() {
			defer func() { <-places }()
			do(p)
		})
	}
	calls.Wait()
}

func closePlugins(plugins []*foundPlugin) {
	for _, p := range plugins {
		if p.opened != nil {
			_ = p.opened.Close()
		}
	}
}

// findPlugins lists the plugins named, then those in the folders. A file is there once, however often it is named or
// found.
func findPlugins(f *pluginFlags) ([]*foundPlugin, error) {
	var plugins []*foundPlugin
	seen := map[string]bool{}
	add := func(path string, named bool) error {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		if real, err := filepath.EvalSymlinks(absolute); err == nil {
			if seen[real] {
				return nil
			}
			seen[real] = true
		}
		plugins = append(plugins, &foundPlugin{path: absolute, named: named})
		return nil
	}
	for _, path := range f.paths {
		if err := add(path, true); err != nil {
			return nil, err
		}
	}
	folders := plugin.Folders(f.folders...)
	if f.namedOnly {
		folders = nil
	}
	for _, folder := range folders {
		found, err := plugin.Find(folder)
		if errors.Is(err, fs.ErrNotExist) && !slices.Contains(f.folders, folder) {
			continue
		}
		if err != nil {
			return nil, usagef("--plugin-dir: %w", err)
		}
		for _, path := range found {
			if err := add(path, false); err != nil {
				return nil, err
			}
		}
	}
	return plugins, nil
}

// pluginWords says what a plugin is, for a list.
func pluginWords(p *foundPlugin) string {
	if p.broken != nil {
		return "broken: " + firstLine(p.broken.Error())
	}
	i := p.opened.Info()
	words := "unpinned"
	if i.Pinned {
		words = "pinned"
	}
	if !i.Encrypted {
		words += ", not encrypted"
	}
	if i.SDK != "" {
		words = i.SDK + ", " + words
	}
	if i.Version != "" {
		words = "version " + i.Version + ", " + words
	}
	return words
}

// describedName is the declared name of a thing.
func describedName(thing any) string {
	return thing.(interface{ Describe() core.Description }).Describe().Name
}
