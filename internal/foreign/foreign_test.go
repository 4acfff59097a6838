//go:build unix

package foreign_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/internal/foreign"
)

// fixture is a folder with a file, a pipe, and links in and out of it.
func fixture(t testing.TB) (dir string, outside string) {
	base := t.TempDir()
	dir, outside = filepath.Join(base, "dir"), filepath.Join(base, "outside")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	require.NoError(t, os.MkdirAll(outside, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("1234"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "file"), []byte("secret"), 0o644))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	for name, target := range map[string]string{
		"inside": "file", "out": "../outside/file", "outfolder": "../outside", "device": "/dev/zero", "dangling": "none",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(dir, name)))
	}
	return dir, outside
}

func TestFolderReads(t *testing.T) {
	dir, _ := fixture(t)
	folder := foreign.Folder(dir)
	for name, want := range map[string]error{
		"file": nil, "inside": nil, "out": foreign.ErrOutside, "outfolder/file": foreign.ErrOutside,
		"../outside/file": foreign.ErrOutside,
		"device":          foreign.ErrOutside, "pipe": foreign.ErrKind, "sub": foreign.ErrKind, "none": os.ErrNotExist,
		"dangling": os.ErrNotExist,
	} {
		t.Run(name, func(t *testing.T) {
			text, err := folder.Read(name, 4)
			if want == nil {
				require.NoError(t, err)
				assert.Equal(t, "1234", string(text))
				return
			}
			require.ErrorIs(t, err, want)
			assert.Contains(t, err.Error(), filepath.Base(name))
		})
	}
	_, err := folder.Read("file", 3)
	require.ErrorIs(t, err, foreign.ErrTooLarge)
	assert.ErrorContains(t, err, "it has 4 bytes, and the most is 3 bytes; if you trust the file, allow more by the "+
		"environment variable KOOPBENCH_READ_MIB, which is 256 now")
	assert.True(t, folder.Missing("none"))
	assert.False(t, folder.Missing("out"))
	for _, name := range []string{"out", "outfolder", "outfolder/file", "../outside"} {
		_, err = folder.Stat(name)
		require.ErrorIs(t, err, foreign.ErrOutside, name)
	}
	_, err = folder.Entries("outfolder")
	require.ErrorIs(t, err, foreign.ErrOutside)
}

func TestNamedFiles(t *testing.T) {
	dir, _ := fixture(t)
	text, err := foreign.Read(filepath.Join(dir, "out"), 100)
	require.NoError(t, err, "the user has named the link")
	assert.Equal(t, "secret", string(text))
	for _, name := range []string{"pipe", "device", "sub"} {
		_, err = foreign.Read(filepath.Join(dir, name), 100)
		require.ErrorIs(t, err, foreign.ErrKind)
	}
	_, err = foreign.Read(filepath.Join(dir, "pipe"), 100)
	assert.EqualError(t, err, filepath.Join(dir, "pipe")+" is a pipe, not a regular file")
}

func TestFolderWrites(t *testing.T) {
	dir, outside := fixture(t)
	folder := foreign.Folder(dir)
	require.NoError(t, folder.Make("new/er"))
	require.NoError(t, folder.Make("sub"))
	require.ErrorIs(t, folder.Make("outfolder"), foreign.ErrOutside)
	for _, name := range []string{"file", "inside"} {
		require.EqualError(t, folder.Make(name), filepath.Join(dir, name)+" is a file, and must be a folder")
	}
	for _, name := range []string{"inside", "out", "dangling", "pipe", "device", "outfolder"} {
		_, err := folder.Change(name, true)
		require.ErrorIs(t, err, foreign.ErrKind, name)
	}
	_, err := folder.Change("outfolder/file", true)
	require.ErrorIs(t, err, foreign.ErrOutside)
	for _, want := range []string{"a", "aa"} {
		f, err := folder.Change("log", true)
		require.NoError(t, err)
		_, err = f.WriteString("a")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		text, err := folder.Read("log", 10)
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
	}
	require.NoError(t, folder.Remove("out"))
	require.ErrorIs(t, folder.Remove("outfolder/file"), foreign.ErrOutside)
	require.ErrorIs(t, folder.Remove("../outside/file"), foreign.ErrOutside)
	require.ErrorIs(t, folder.Make("outfolder/new"), foreign.ErrOutside)
	assert.NoDirExists(t, filepath.Join(outside, "new"))
	text, err := os.ReadFile(filepath.Join(outside, "file"))
	require.NoError(t, err)
	assert.Equal(t, "secret", string(text))
}

type run struct {
	Key     string         `json:"key"`
	Options map[string]any `json:"options"`
	Labels  [][]int        `json:"labels"`
	Room    [60]int64      `json:"room"`
	Names   []string       `json:"names"`
	History []struct {
		Values [22]float64 `json:"values"`
	} `json:"history"`
}

type results struct {
	Runs []run `json:"runs"`
}

// TestCostBounds: the memory that is taken is under the bound, for texts that take much of it.
func TestCostBounds(t *testing.T) {
	repeat := func(before, what, after string) string {
		return before + strings.TrimSuffix(strings.Repeat(what+",", 200000), ",") + after
	}
	for name, text := range map[string]string{
		"objects":         repeat(`{"runs":[`, `{}`, `]}`),
		"numbers":         repeat(`{"runs":[{"labels":[[`, `1`, `]]}]}`),
		"lists":           repeat(`{"runs":[{"labels":[`, `[]`, `]}]}`),
		"lists of one":    repeat(`{"runs":[{"labels":[`, `[1]`, `]}]}`),
		"any numbers":     repeat(`{"runs":[{"options":{"a":[`, `1`, `]}}]}`),
		"any lists":       repeat(`{"runs":[{"options":{"a":[`, `[]`, `]}}]}`),
		"any objects":     repeat(`{"runs":[{"options":{"a":[`, `{}`, `]}}]}`),
		"any more":        repeat(`{"runs":[{"options" : {"a":[`, `{"":0}`, `]}}]}`),
		"many options":    repeat(`{"runs":[`, `{"options":{}}`, `]}`),
		"texts":           repeat(`{"runs":[{"options":{"a":[`, `""`, `]}}]}`),
		"names":           repeat(`{"runs":[{"names":[`, `""`, `]}]}`),
		"epochs":          repeat(`{"runs":[{"history":[`, `{}`, `]}]}`),
		"one long text":   `{"runs":[{"key":"` + strings.Repeat("ab", 1<<20) + `"}]}`,
		"text of escapes": `{"runs":[{"key":"` + strings.Repeat(`\u4e00`, 1<<18) + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			var r results
			runtime.GC()
			runtime.ReadMemStats(&before)
			require.NoError(t, json.Unmarshal([]byte(text), &r))
			runtime.GC()
			runtime.ReadMemStats(&after)
			taken := int64(after.HeapAlloc) - int64(before.HeapAlloc)
			assert.LessOrEqual(t, taken, foreign.Cost([]byte(text), &r))
			runtime.KeepAlive(r)
		})
	}
}

// TestCostOfTexts: a text that is decoded and encoded again is longer then.
func TestCostOfTexts(t *testing.T) {
	const n = 1000
	for _, c := range []string{"a", "é", "\xff", "<", "&", `\"`, `\u2028`} {
		text := []byte(`"` + strings.Repeat(c, n) + `"`)
		var decoded string
		require.NoError(t, json.Unmarshal(text, &decoded))
		encoded, err := json.Marshal(decoded)
		require.NoError(t, err)
		assert.Less(t, int64(len(text)+len(decoded)+len(encoded)), foreign.Cost(text, &decoded), c)
	}
}

// TestCostOfTypes: what comes after a value of any type has one again.
func TestCostOfTypes(t *testing.T) {
	const n = 1000
	text := `{"options":{"a":1},"labels":[[` + strings.Repeat("1,", n) + `1]]}`
	assert.Less(t, foreign.Cost([]byte(text), &run{}), int64(20*n))
}

func TestJSONRefuses(t *testing.T) {
	var r results
	for _, text := range []string{
		`{"runs":[` + strings.Repeat(`{},`, 400000) + `{}]}`,
		`{"runs":[{"options":{"a":[` + strings.Repeat(`[],`, 3<<20) + `0]}}]}`,
		`{"runs":[{"key":"\""},` + strings.Repeat(`{},`, 400000) + `{}]}`,
	} {
		require.ErrorIs(t, foreign.JSON([]byte(text), &r), foreign.ErrTooLarge)
		assert.Empty(t, r.Runs)
	}
	for _, text := range []string{``, `"`, `{"`, `{"options`, `{"options":`, `]]]`, `"\`} {
		require.Error(t, foreign.JSON([]byte(text), &r))
	}
	require.NoError(t, foreign.JSON([]byte(`{"runs":[{"key":"a","options":{"lr":0.1}}]}`), &r))
	assert.Equal(t, "a", r.Runs[0].Key)
}

// TestBudget: files that are read together share what may be taken.
func TestBudget(t *testing.T) {
	dir := t.TempDir()
	text := `{"key":"` + strings.Repeat("a", 45<<20) + `"}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.json"), []byte(text), 0o644))
	b := foreign.NewBudget()
	var failure error
	for n := 0; failure == nil && n < 10; n++ {
		failure = foreign.Folder(dir).JSON("a.json", &run{}, b)
	}
	require.NoError(t, foreign.Folder(dir).JSON("a.json", &run{}, nil))
	require.ErrorIs(t, failure, foreign.ErrTooLarge)
}

// TestSizesThatTheSystemDoesNotTell: files of /proc have a size of 0 and a content.
func TestSizesThatTheSystemDoesNotTell(t *testing.T) {
	const path = "/proc/self/status"
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Skip("there is no such file here")
	}
	text, err := foreign.Read(path, 1<<20)
	require.NoError(t, err)
	require.Greater(t, len(text), 100)
	_, err = foreign.Read(path, 100)
	require.ErrorIs(t, err, foreign.ErrTooLarge)
	assert.ErrorContains(t, err, path+": too large: it has more than 100 bytes")
}

// TestLargeFilesAreNotRead: a file of JSON that is too large is refused by its size.
func TestLargeFilesAreNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.json")
	require.NoError(t, os.WriteFile(path, nil, 0o644))
	require.NoError(t, os.Truncate(path, foreign.Limit()+1))
	err := foreign.Folder(filepath.Dir(path)).JSON("large.json", &run{}, nil)
	require.ErrorIs(t, err, foreign.ErrTooLarge)
	assert.ErrorContains(t, err, "it has 256.0 MiB, and the most is 256.0 MiB")
}

// TestChangeMakesAFile: where somebody puts a link in the place of a file that is not there yet, what it
// leads to is not made.
func TestChangeMakesAFile(t *testing.T) {
	dir := t.TempDir()
	path, done := filepath.Join(dir, "made"), make(chan struct{})
	var replacing sync.WaitGroup
	replacing.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			_ = os.Remove(path)
			_ = os.Symlink("unmade", path)
		}
	})
	for range 2000 {
		if f, err := foreign.Folder(dir).Change("made", true); err == nil {
			_ = f.Close()
		}
	}
	close(done)
	replacing.Wait()
	assert.NoFileExists(t, filepath.Join(dir, "unmade"))
}

// TestLimit: the environment sets what a file may take, within bounds; a value without sense sets nothing.
func TestLimit(t *testing.T) {
	const child = "KOOPBENCH_TEST_LIMIT"
	if os.Getenv(child) != "" {
		fmt.Println("limit", foreign.Limit()>>20, foreign.ArrayLimit()>>20)
		return
	}
	for value, want := range map[string]string{
		"": "limit 256 128", "2": "limit 2 1", "0": "limit 256 128", "-2": "limit 256 128", "many": "limit 256 128",
		"1048576": "limit 1048576 524288", "1048577": "limit 256 128", "9223372036854775808": "limit 256 128",
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLimit$")
		cmd.Env = append(os.Environ(), child+"=yes", foreign.Variable+"="+value)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), want+"\n", value)
	}
}
