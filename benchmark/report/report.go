package report

import (
	"fmt"
	"path/filepath"

	"github.com/koopbench/koopbench/benchmark"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/atomicfile"
	"github.com/koopbench/koopbench/internal/foreign"
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
	if err := foreign.Folder(dir).Make(Folder); err != nil {
		return fmt.Errorf("the folder of figures cannot be made: %w", err)
	}
	if err := newDrawer(m).write(filepath.Join(dir, Folder)); err != nil {
		return err
	}
	page, err := m.pageBytes(store)
	if err != nil {
		return fmt.Errorf("the page %s: %w", Page, err)
	}
	return atomicfile.Write(filepath.Join(dir, Page), page)
}

func (d *drawer) write(folder string) error {
	for _, name := range Figures() {
		png, svg, err := d.render(name)
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
func (d *drawer) render(name string) (png, svg []byte, err error) {
	defer core.Recover(&err)
	f := d.figure(name)
	if png, err = f.png(); err != nil {
		return nil, nil, err
	}
	svg, err = f.svg()
	return png, svg, err
}

func (d *drawer) figure(name string) figure {
	return map[string]func() figure{
		"accuracy": d.accuracyFigure, "rollout": d.rolloutFigure, "sample": d.sampleFigure,
		"eigenfunctions": func() figure { return d.eigenfunctions().figure(d.lettering) },
		"training":       func() figure { return d.training().figure(d.lettering) },
	}[name]()
}
