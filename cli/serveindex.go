package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
)

// servedPages are the pages of the folders of results that dirs name: those with results, and the
// folders of results directly in others.
func (a *app) servedPages(dirs []string) (pages pageServers, err error) {
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%w: there is no folder %s; make it with: %s run --out %s", results.ErrResults, dir, a.Name,
				dir)
		case err != nil:
			return nil, fmt.Errorf("%w: %w", results.ErrResults, err)
		case !info.IsDir():
			return nil, fmt.Errorf("%w: %s is a file; name the folder of the results", results.ErrResults, dir)
		}
		for _, store := range storesIn(dir) {
			s := &pageServer{store: store}
			if _, _, err := s.current(); err != nil {
				return nil, err
			}
			pages = append(pages, s)
		}
	}
	return pages, nil
}

// storesIn are the folders of results in a folder: itself, unless only folders in it have results.
func storesIn(dir string) (stores []*results.Store) {
	own := results.OpenStore(dir)
	if own.Begun() {
		return []*results.Store{own}
	}
	entries, _ := own.Files().Entries(".") // what cannot be read has no results
	for _, e := range entries {
		if store := results.OpenStore(filepath.Join(dir, e.Name())); e.IsDir() && store.Begun() {
			stores = append(stores, store)
		}
	}
	if len(stores) == 0 {
		return []*results.Store{own}
	}
	return stores
}

// pageServers show folders of results, and if there are several an index of them.
type pageServers []*pageServer

func (p pageServers) handler() http.Handler {
	if len(p) == 1 {
		return p[0].handler()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.showIndex)
	for i, s := range p {
		at := fmt.Sprintf("/%d", i+1)
		mux.Handle(at+"/", http.StripPrefix(at, s.handler()))
	}
	return mux
}

func (p pageServers) showIndex(w http.ResponseWriter, _ *http.Request) {
	folders := make([]report.Indexed, len(p))
	for i, s := range p {
		found, planned, err := s.store.Progress()
		status := progressText(found, planned)
		if err != nil {
			status = err.Error()
		}
		folders[i] = report.NewIndexed(s.store.Dir(), fmt.Sprintf("%d/", i+1), found, status)
	}
	var page bytes.Buffer
	if err := report.WriteIndex(&page, folders); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes()) // a client that has gone is no fault
}
