// Package golden opens the files of reference numbers that tests compare with. They are in
// testdata:
//
//   - losses.json and ridge.json were computed with kooplearn 2.0.3 in float64.
//   - losses_more.json has losses that kooplearn does not have, or has in another form. They were
//     computed with torch's autodiff of their formulas, in float64.
//   - kernel.json was computed in float64, by eigenvectors, from features of the kernel. If all
//     snapshots are centres, kooplearn 2.0.3 agrees.
//   - ordered_mnist.json has the images of Ordered MNIST, in the order of kooplearn.
//   - processes.json has what is known of the processes of tasks, computed in other ways than the
//     tasks do.
//
// The environment variable KOOPBENCH_GOLDEN names another folder to read them from, with the same
// file names and fields.
//
// Only tests import it. It imports gonum, testify and the standard library.
package golden

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Folder is the environment variable that names another folder of golden files.
const Folder = "KOOPBENCH_GOLDEN"

//go:embed testdata/*.json
var committed embed.FS

// Load reads the golden file of that name, "ridge.json" for instance, into the struct that file
// points to. The test fails at once if the file is missing, is not what the struct says, or holds
// no case.
func Load(t testing.TB, name string, file any) {
	t.Helper()
	content, err := read(name)
	require.NoError(t, err)
	require.NoError(t, decode(content, file), name)
}

func read(name string) ([]byte, error) {
	if folder := os.Getenv(Folder); folder != "" {
		return fs.ReadFile(os.DirFS(folder), name)
	}
	return committed.ReadFile("testdata/" + name)
}

func decode(content []byte, file any) error {
	var list struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(content, &list); err != nil {
		return err
	}
	if len(list.Cases) == 0 {
		return fmt.Errorf("the golden file holds no case")
	}
	return json.Unmarshal(content, file)
}
