package dataset

import (
	"crypto/md5"
	"encoding/hex"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMNIST(t *testing.T) {
	set, err := MNIST()
	require.NoError(t, err)
	assert.Equal(t, "MNIST (embedded)", set.Source)
	assert.Equal(t, []int{28, 28}, []int{set.Rows, set.Columns})
	require.Len(t, set.Labels, 70000)
	// The numbers of training images of each digit are those of the MNIST page.
	counts := make([]int, Classes)
	for _, l := range set.Labels[:60000] {
		counts[l]++
	}
	assert.Equal(t, []int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}, counts)
}

func TestEmbeddedFilesAreTheFolder(t *testing.T) {
	fromDisk, err := Open("mnist")
	require.NoError(t, err)
	set, err := MNIST()
	require.NoError(t, err)
	assert.Equal(t, fromDisk.Labels, set.Labels)
	a, err := fromDisk.gather([]int{69999, 0})
	require.NoError(t, err)
	b, err := set.gather([]int{69999, 0})
	require.NoError(t, err)
	assert.Equal(t, a, b)
}

func TestLicenceHasTheSums(t *testing.T) {
	licence, err := os.ReadFile("mnist/LICENSE.md")
	require.NoError(t, err)
	for _, file := range mnistSHA256 {
		content, err := fs.ReadFile(embedded, "mnist/"+file.name)
		require.NoError(t, err)
		sum := md5.Sum(content)
		assert.Contains(t, string(licence), "| `"+file.name+"` | `"+file.sum+"` | `"+hex.EncodeToString(sum[:])+"` |")
	}
}

func TestDamagedMNIST(t *testing.T) {
	files := map[string][]byte{}
	for _, file := range mnistSHA256 {
		content, err := fs.ReadFile(embedded, "mnist/"+file.name)
		require.NoError(t, err)
		files[file.name] = content
	}
	require.NoError(t, checkMNIST(inMemory(files)))
	for name, content := range files {
		files[name] = changed(content, len(content)/2)
		err := checkMNIST(inMemory(files))
		assert.ErrorIs(t, err, ErrFormat)
		assert.ErrorContains(t, err, name)
		files[name] = content
	}
	delete(files, testLabels+".gz")
	assert.ErrorIs(t, checkMNIST(inMemory(files)), fs.ErrNotExist)
}
