package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// prepareVenv makes the peer's virtual environment if there is none, and installs what
// requirements.txt pins and is not there yet.
func (b *bench) prepareVenv(ctx context.Context) error {
	dir, err := b.venvFolder()
	if err != nil {
		return err
	}
	if b.python, err = b.openVenv(ctx, dir); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	requirements := filepath.Join(b.root, "internal", "peer", "requirements.txt")
	pip := b.command(ctx, nil, b.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"-r", requirements)
	pip.Stdout = b.log
	if err := pip.Run(); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf(
			"pip cannot install %s into %s, see above; it needs a network and about 6 GB of disk: %w", requirements, dir, err))
	}
	return nil
}

func (b *bench) venvFolder() (string, error) {
	if b.venv != "" {
		return filepath.Abs(b.venv)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no cache folder for the virtual environment; name one by --venv: %w", err)
	}
	return filepath.Join(cache, "koopbench", "peer"), nil
}

// openVenv returns the interpreter of the virtual environment in a folder, which it makes unless it is there.
func (b *bench) openVenv(ctx context.Context, dir string) (string, error) {
	interpreter := filepath.Join(dir, "bin", "python")
	if runtime.GOOS == "windows" {
		interpreter = filepath.Join(dir, "Scripts", "python.exe")
	}
	if _, err := os.Stat(interpreter); err == nil {
		return interpreter, nil
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return "", fmt.Errorf("--venv %s holds files and is no virtual environment; name another folder, or empty this one",
			dir)
	}
	creator, err := exec.LookPath(b.settings.python)
	if err != nil {
		return "", fmt.Errorf("there is no %s on the path; install Python 3.11 or later with its module venv, or name an "+
			"interpreter by --python: %w", b.settings.python, err)
	}
	b.logf("making a virtual environment in %s and installing kooplearn and torch; this takes minutes", dir)
	create := b.command(ctx, nil, creator, "-m", "venv", dir)
	create.Stdout = b.log
	if err := create.Run(); err != nil {
		return "", fmt.Errorf(
			"%s -m venv failed, see above; install Python's modules venv and ensurepip (python3-venv on Debian): %w",
			b.settings.python, err)
	}
	return interpreter, nil
}

// peer is the peer's script with its arguments; its result goes to the file out.
func (b *bench) peer(ctx context.Context, out string, args ...string) *exec.Cmd {
	args = append([]string{
		filepath.Join(b.root, "internal", "peer", "kooplearn_ordered_mnist.py"),
		"--data", filepath.Join(b.root, "dataset", "mnist"), "--out", out,
		"--seed", fmt.Sprint(b.Seed), "--threads", fmt.Sprint(b.Threads),
	}, args...)
	cmd := b.command(ctx, nil, b.python, args...)
	cmd.Stdout = b.log
	return cmd
}
