package report

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
)

// Folder is the folder of the figures, within that of the results.
const Folder = "figures"

// Figures returns the names of the figures that [Write] draws: NAME.png and NAME.svg, in the order in which to show them.
func Figures() []string {
	return []string{"accuracy", "rollout", "eigenfunctions", "training", "sample"}
}

// Write draws the figures of the results in dir into dir/figures, and writes [Page], each file whole or not at all. The same
// results give the same bytes. The error is benchmark.ErrResults where dir cannot be read as results, [core.ErrUnavailable] where it
// holds no run.
func Write(dir string) (err error) {
	defer core.Recover(&err)
	store := benchmark.OpenStore(dir)
	m, err := gather(store)
	if err != nil {
		return err
	}
	if err := m.write(filepath.Join(dir, Folder)); err != nil {
		return err
	}
	page, err := m.pageBytes(store)
	if err != nil {
		return fmt.Errorf("the page %s: %w", Page, err)
	}
	return atomicfile.Write(filepath.Join(dir, Page), page)
}

func (m *material) write(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("the folder of figures cannot be made: %w", err)
	}
	for _, name := range Figures() {
		png, svg, err := m.render(name)
		if err != nil {
			return fmt.Errorf("figure %s: %w", name, err)
		}
		for ext, data := range map[string][]byte{".png": png, ".svg": svg} {
			if err := atomicfile.Write(filepath.Join(folder, name+ext), data); err != nil {
				return err
			}
		}
	}
	return nil
}

// render draws one figure in both formats.
func (m *material) render(name string) (png, svg []byte, err error) {
	defer core.Recover(&err)
	f := m.figure(name, newLettering())
	if png, err = f.png(); err != nil {
		return nil, nil, err
	}
	svg, err = f.svg()
	return png, svg, err
}

func (m *material) figure(name string, l lettering) figure {
	return map[string]func(lettering) figure{
		"accuracy": m.accuracy, "rollout": m.rollout, "eigenfunctions": m.eigenfunctions, "training": m.training, "sample": m.sample,
	}[name](l)
}
