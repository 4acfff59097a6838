//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// python is a script that does as a program in Python that ends like that: the text is what Python
// 3.11 writes.
func python(says string) string {
	return "#!/bin/sh\n[ \"$KOOPBENCH_PLUGIN\" ] || exit 2\ncat >&2 <<'END'\n" + says + "\nEND\nexit 1\n"
}

// TestStartMistakes: what keeps a plugin from starting is on the one line that a list, a warning
// and an error show, word for word as docs/plugin-reference.md has it.
func TestStartMistakes(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "plugin-reference.md"))
	require.NoError(t, err)
	t.Setenv("LC_ALL", "C")
	for name, c := range map[string]struct {
		script string
		mode   os.FileMode
		want   string
	}{
		"the environment lacks the package": {
			python("Traceback (most recent call last):\n  File \"DIR/far.py\", line 7, in <module>\n" +
				"    from koopbench_plugin import Method, serve\nModuleNotFoundError: No module named 'koopbench_plugin'"), 0o755,
			"process crashed: far.py ended before its handshake (exit status 1): ModuleNotFoundError: No module named " +
				"'koopbench_plugin' " +
				"(far.py, line 7); the Python that it is started with lacks it: install it there, or have the first line of " +
				"the file " +
				"start the Python of your environment",
		},
		"a misspelt import": {
			python("Traceback (most recent call last):\n  File \"DIR/far.py\", line 5, in <module>\n    import nunpy as np\n" +
				"ModuleNotFoundError: No module named 'nunpy'"), 0o755,
			"process crashed: far.py ended before its handshake (exit status 1): ModuleNotFoundError: No module named " +
				"'nunpy' (far.py, line 5); " +
				"the Python that it is started with lacks it: install it there, or have the first line of the file start the " +
				"Python of your environment",
		},
		"a syntax error": {
			python("  File \"DIR/far.py\", line 12\n    def fit(self, training)\n                           " +
				"^\nSyntaxError: expected ':'"), 0o755,
			"process crashed: far.py ended before its handshake (exit status 1): SyntaxError: expected ':' (far.py, line 12)",
		},
		"a class in place of an object": {
			python("far.py: <class '__main__.Fourier'> is no Method, Embedder, EvolutionOperator, Loss, Oracle or Task; " +
				"serve an object of the class, Fourier()"), 0o755,
			"process crashed: far.py ended before its handshake (exit status 1): far.py: <class '__main__.Fourier'> is no " +
				"Method, Embedder, " +
				"EvolutionOperator, Loss, Oracle or Task; serve an object of the class, Fourier()",
		},
		"no Python of that name": {
			"#!/usr/bin/env python0\n", 0o755,
			"process crashed: far.py ended before its handshake (exit status 127): ENV; its first line names python0, " +
				"which is not on PATH: " +
				"install it, or name the path of another",
		},
		"no uv": {
			"#!/usr/bin/env -S uv run --script\n", 0o755,
			"process crashed: far.py ended before its handshake (exit status 127): ENV; its first line starts uv, " +
				"which is not on PATH: install uv (for example with pip install uv), or start the plugin without it, " +
				"with the Python " +
				"of a virtual environment",
		},
		"no environment beside the file": {
			"#!/bin/sh\n\"exec\" \"${0%/*}/.venv/bin/python\" \"$0\" \"$@\"\n", 0o755,
			"process crashed: far.py ended before its handshake (exit status 127): SHELL; a program that it starts " +
				"does not exist",
		},
		"no interpreter": {
			"#!/opt/python0\n", 0o755,
			"DIR/far.py cannot be run: its first line names the interpreter /opt/python0, which does not exist; install " +
				"it, or name another",
		},
		"not executable": {"#!/bin/sh\n", 0o644, "DIR/far.py is not executable; make it so: chmod +x DIR/far.py"},
		"no first line": {
			"import numpy\n", 0o755,
			"DIR/far.py cannot be run: it is not a program, and not a script, because its first line does not begin with #!; " +
				"a script in Python begins with: #!/usr/bin/env python3",
		},
		"Windows line ends": {
			"#!/bin/sh\r\nexit 0\r\n", 0o755,
			"DIR/far.py cannot be run: its first line has a Windows line end, which becomes part of the " +
				"name of the interpreter; " +
				`convert the file: sed -i 's/\r$//' DIR/far.py`,
		},
		"a print before the handshake": {
			"#!/bin/sh\necho Loading weights\nexec sleep 300\n", 0o755,
			`process crashed: far.py wrote "Loading weights" instead of its handshake: ` +
				"a plugin must not write to standard output before the handshake; log to standard error",
		},
		"a long computation at the start": {
			"#!/bin/sh\nexec sleep 300\n", 0o755,
			"process crashed: far.py did not write its handshake within 400ms: it hangs, is not a plugin, or needs more time " +
				"(--plugin-start-timeout)",
		},
		"no call of serve": {
			"#!/bin/sh\nexit 0\n", 0o755,
			"process crashed: far.py ended before its handshake (exit status 0); its main function must call Serve, which " +
				"does not return",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "far.py")
			dir := filepath.Dir(path)
			require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(c.script, "DIR", dir)), c.mode))
			if name == "no uv" {
				t.Setenv("PATH", t.TempDir()) // some machines have it
			}
			timeout := hangs.String()
			if strings.Contains(c.want, "400ms") {
				timeout = "400ms"
			}
			want := strings.ReplaceAll(c.want, "DIR", dir)
			got := call(t.Context(), newFakes().config(), "plugin", "list", "--plugin-dir", dir, "--plugin-start-timeout",
				timeout)
			assert.Zero(t, got.status)
			assertOneLine(t, path+": broken: plugin "+path+": "+want, got.stdout)
			got = call(t.Context(), newFakes().config(), "list", "--plugin", path, "--plugin-start-timeout", timeout)
			assert.Equal(t, exitFailure, got.status)
			assertOneLine(t, "bench: --plugin: plugin "+path+": "+want, got.stderr)
			for part := range strings.SplitSeq(strings.ReplaceAll(c.want, "400ms", "1m0s"),
				": ENV") { // whose words are the system's
				part, _, _ = strings.Cut(strings.TrimPrefix(part, "process crashed: "), ": SHELL")
				part = strings.ReplaceAll(part, "DIR/far.py", "far.py")
				assert.Contains(t, string(guide), part)
			}
		})
	}
}

// assertOneLine compares a line with what is wanted, where ENV and SHELL stand for words of these
// programs.
func assertOneLine(t *testing.T, want, got string) {
	t.Helper()
	got = strings.TrimSuffix(got, "\n")
	assert.NotContains(t, got, "\n")
	for _, placeholder := range []string{"ENV", "SHELL"} {
		before, after, found := strings.Cut(want, placeholder)
		if found {
			assert.True(t, strings.HasPrefix(got, before) && strings.HasSuffix(got, after), "want: %s\n got: %s", want, got)
			assert.Greater(t, len(got), len(before)+len(after), "it says what was not found")
			return
		}
	}
	assert.Equal(t, want, got)
}
