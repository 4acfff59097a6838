//go:build linux

package cli

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMutatedFolders changes files of folders of results at random, and gives them to every
// command: none panics, hangs, takes much memory or writes outside the folder. KOOPBENCH_SOAK=1
// makes it 1000 folders.
func TestMutatedFolders(t *testing.T) {
	skipLong(t, "it runs every command on hundreds of folders")
	const batch = 25
	folders := 200
	if os.Getenv("KOOPBENCH_SOAK") != "" {
		folders = 1000
	}
	b := newHostileBase(t)
	before := treeOf(t, b.outside)
	var largest, refused, all atomic.Int64
	t.Run("folders", func(t *testing.T) {
		for first := 0; first < folders; first += batch {
			t.Run(fmt.Sprint(first), func(t *testing.T) {
				t.Parallel()
				names, commands := b.mutated(t, first, batch)
				outputs, peak := hostileRun(t, commands...)
				for i, got := range outputs {
					assertHarmless(t, names[i], got)
					assert.NotRegexp(t, `\bpanic(ked)?\b`, got.stderr, names[i]) // there is a method called "panicking"
					all.Add(1)
					if got.status != 0 {
						refused.Add(1)
					}
				}
				assert.Less(t, peak, mostMemory, "bytes")
				assert.Equal(t, before, treeOf(t, b.outside))
				for old := largest.Load(); int64(peak) > old && !largest.CompareAndSwap(old, int64(peak)); {
					old = largest.Load()
				}
			})
		}
	})
	t.Logf("%d commands, of which %d did not succeed; peak memory %d MB", all.Load(), refused.Load(), largest.Load()/1e6)
	assert.Greater(t, refused.Load(), all.Load()/10, "the changes are felt")
}

// mutated makes folders, numbered from first on, that are changed at random, and the commands that
// are given each of them.
func (b hostileBase) mutated(t *testing.T, first, count int) (names []string, commands [][]string) {
	random := rand.New(rand.NewPCG(1, uint64(first)))
	base := t.TempDir()
	for n := first; n < first+count; n++ {
		dir := filepath.Join(base, fmt.Sprint(n))
		require.NoError(t, os.CopyFS(dir, os.DirFS(b.dir)))
		m := mutator{t, random, b, dir, nil}
		for range 1 + random.IntN(3) {
			m.change()
		}
		add := func(args ...string) {
			names, commands = append(names, fmt.Sprintf("folder %d, %s after %v", n, args[0], m.done)), append(commands, args)
		}
		add("report", dir)
		add("serve", dir)
		add("compare", b.dir, dir)
		add("merge", "--out", dir+"-merged", dir, b.dir)
		add("verify", dir, "--data", b.data)
		add("predict", "--model", filepath.Join(dir, "runs", b.key+".model.npz"), "--input", b.image, "--out",
			dir+"-predicted")
		add(b.run(dir)...)
		add("merge", "--out", dir, b.dir)
		add(append(tiny(b.data, dir), "--config", filepath.Join(dir, "config.yaml"), "--methods", "template")...)
	}
	return names, commands
}

// mutator changes files at random.
type mutator struct {
	t *testing.T
	*rand.Rand
	base hostileBase
	dir  string
	done []string // the changes
}

func (m *mutator) change() {
	files := m.base.files()
	name := files[m.IntN(len(files))]
	path := filepath.Join(m.dir, name)
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		require.NoError(m.t, os.RemoveAll(path))
		require.NoError(m.t, os.WriteFile(path, []byte(`{"schema":"koopbench.results/2"}`), 0o644))
	}
	content, err := os.ReadFile(path)
	require.NoError(m.t, err)
	kinds := []string{"bytes", "bytes", "cut", "repeat", "other", "special"}
	switch filepath.Ext(name) {
	case ".json":
		kinds = append(kinds, "number", "number", "number", "text", "text", "drop", "drop", "list")
	case ".npz":
		kinds = append(kinds, "header", "header", "header", "seal", "seal")
	}
	kind := kinds[m.IntN(len(kinds))]
	m.done = append(m.done, kind+" "+name)
	switch kind {
	case "bytes":
		for range 1 + m.IntN(8) {
			if len(content) > 0 {
				content[m.IntN(len(content))] = byte(m.Uint32())
			}
		}
	case "cut":
		content = content[:m.IntN(len(content)+1)]
	case "repeat":
		at := m.IntN(len(content) + 1)
		content = slices.Concat(content[:at], content[at/2:])
	case "other":
		content, err = os.ReadFile(filepath.Join(m.base.dir, files[m.IntN(5)%4]))
		require.NoError(m.t, err)
	case "number":
		content = m.replaced(content, `-?\d+(\.\d+)?(e[+-]?\d+)?`, "-1", "0", "1e308", "-1e308", "2147483647",
			"9223372036854775807",
			"-9223372036854775808", "1e11", "0.5", "null", "[]", `""`, "1e999")
	case "text":
		content = m.replaced(
			content,
			`"[^"\\]*"`,
			`""`,
			`"\u001b[2J"`,
			`"../../outside/x"`,
			`".."`,
			`"\u202e"`,
			`null`,
			`3`,
			`{}`,
			`"`+
				strings.Repeat("x", 1<<16)+`"`,
			`"powers"`,
			`"ok"`,
			`"failed"`,
		)
	case "drop":
		content = m.replaced(content, `"[^"\\]*":`, `"x":`, `"Accuracy":`, `"labels":`, `"options":`)
	case "list":
		content = m.replaced(content, `\[[^\[\]]*\]`, `[]`, `null`, `[[]]`, `{}`, `[1,2,3]`, `[[1,2],[3]]`)
	case "header":
		content = m.rewritten(content)
	case "seal":
		content = m.resealed(content)
	case "special":
		require.NoError(m.t, os.Remove(path))
		m.special(path)
		return
	}
	require.NoError(m.t, os.WriteFile(path, content, 0o644))
}

// replaced puts one of the texts in the place of a match.
func (m *mutator) replaced(content []byte, pattern string, with ...string) []byte {
	places := regexp.MustCompile(pattern).FindAllIndex(content, -1)
	if len(places) == 0 {
		return content
	}
	at := places[m.IntN(len(places))]
	return slices.Concat(content[:at[0]], []byte(with[m.IntN(len(with))]), content[at[1]:])
}

// rewritten changes the header of an array, or drops a member, of an archive that stays a whole one.
func (m *mutator) rewritten(content []byte) []byte {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil || len(archive.File) == 0 {
		return content
	}
	chosen := m.IntN(len(archive.File))
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			return content
		}
		text, err := io.ReadAll(io.LimitReader(r, 1<<20))
		if err != nil {
			return content
		}
		if i == chosen && m.IntN(5) == 0 {
			continue
		}
		if i == chosen {
			text = m.replaced(text, `\([0-9, ]*\)|'[<>|][a-z]\d+'|False`, "(2147483647, 0)", "(0,)", "()", "(1, 1, 1)",
				"(2, 20)",
				"'<f8'", "'>i2'", "'|b1'", "True", "(4611686018427387904, 4)")
		}
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: f.Method})
		require.NoError(m.t, err)
		_, err = to.Write(text)
		require.NoError(m.t, err)
	}
	require.NoError(m.t, w.SetComment(strings.Repeat("0", 64)))
	require.NoError(m.t, w.Close())
	return m.resealed(b.Bytes())
}

// resealed changes a byte and gives the file of a state the SHA-256 of what it is now.
func (m *mutator) resealed(content []byte) []byte {
	if len(content) < 65 {
		return content
	}
	content = bytes.Clone(content)
	sealed := len(content) - 64
	if m.IntN(2) == 0 {
		content[m.IntN(sealed)] = byte(m.Uint32())
	}
	sum := sha256.Sum256(content[:sealed])
	copy(content[sealed:], hex.EncodeToString(sum[:]))
	return content
}

// special puts something else than a file in its place.
func (m *mutator) special(path string) {
	switch m.IntN(5) {
	case 0:
		require.NoError(m.t, syscall.Mkfifo(path, 0o644))
	case 1:
		require.NoError(m.t, os.Symlink("/dev/zero", path))
	case 2:
		require.NoError(m.t, os.Symlink(filepath.Join(m.base.outside, "file"), path))
	case 3:
		require.NoError(m.t, os.Mkdir(path, 0o755))
	case 4:
		require.NoError(m.t, os.Symlink(filepath.Base(path), path))
	}
}
