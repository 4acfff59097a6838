package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// builder builds from a clone of a commit.
type builder struct {
	source, commit string
	time           time.Time // of the commit
}

// clone makes a clone of HEAD in the folder source. In it Go finds the commit and the tag, as it
// does not in each work tree.
func clone(ctx context.Context, source string) (*builder, error) {
	if _, err := command(ctx, "", "git", "clone", "--quiet", "--shared", ".", source); err != nil {
		return nil, err
	}
	head, err := command(ctx, source, "git", "log", "-1", "--format=%H %ct")
	if err != nil {
		return nil, err
	}
	commit, seconds, _ := strings.Cut(strings.TrimSpace(head), " ")
	since, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return nil, err
	}
	return &builder{source, commit, time.Unix(since, 0).UTC()}, nil
}

// tagged fails if the commit does not have the tag.
func (b *builder) tagged(ctx context.Context, tag string) error {
	tags, err := command(ctx, b.source, "git", "tag", "--points-at", "HEAD")
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(tags) {
		if name == tag {
			return nil
		}
	}
	return fmt.Errorf("the newest section of CHANGELOG.md is %s, and HEAD has no such tag: git tag -a %[1]s", tag)
}

// build writes the program for a platform.
func (b *builder) build(ctx context.Context, p platform, path string) error {
	_, err := command(ctx, b.source, filepath.Join(".ci", "program"), p.system+"/"+p.processor, path)
	return err
}

func (p platform) program() string {
	if p.system == "windows" {
		return "bench.exe"
	}
	return "bench"
}

// common is what all archives have beside the program, which writes some of it into the folder work.
func (b *builder) common(ctx context.Context, program, work string) ([]entry, error) {
	entries := []entry{{"LICENSE", "", 0o644}, {"NOTICE", "", 0o644}, {"README.md", "", 0o644},
		{"CHANGELOG.md", "", 0o644}}
	for i, e := range entries {
		entries[i].file = filepath.Join(b.source, e.name)
	}
	texts := []struct {
		name string
		args []string
	}{
		{"LICENCES.txt", []string{"licences"}},
		{"completions/bench.bash", []string{"completion", "bash"}},
		{"completions/_bench", []string{"completion", "zsh"}},
		{"completions/bench.fish", []string{"completion", "fish"}},
		{"completions/bench.ps1", []string{"completion", "powershell"}},
	}
	for _, t := range texts {
		text, err := command(ctx, "", program, t.args...)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(work, filepath.Base(t.name))
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return nil, err
		}
		entries = append(entries, entry{t.name, file, 0o644})
	}
	if _, err := command(ctx, "", program, "man", filepath.Join(work, "man")); err != nil {
		return nil, err
	}
	pages, err := filepath.Glob(filepath.Join(work, "man", "*"))
	for _, page := range pages {
		entries = append(entries, entry{"man/man1/" + filepath.Base(page), page, 0o644})
	}
	return entries, err
}

// command runs a program in dir, "" for this folder, and returns what it writes to standard output.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return stdout.String(), nil
}
