package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/internal/foreign"
)

const defaultListen = "127.0.0.1:0"

func (a *app) serveCommand() *cobra.Command {
	listen := defaultListen
	cmd := &cobra.Command{
		Use:   "serve DIR... [FLAGS]",
		Short: "Show the report of a folder of results in a browser, even while runs are in progress",
		Long: `Show the report of a folder of results in a browser, until you press Ctrl-C. While runs are in progress,
the page shows the finished ones and updates as more finish.

If you name several folders, or a folder that contains folders of results, an index page links to their reports.

By default only this machine can open the page, at a free port. --listen changes that.`,
		Example: "  " + a.Name + " serve results\n  " + a.Name + " serve results --listen 127.0.0.1:8080\n  " +
			a.Name + " serve results/first results/second",
		Args:              someArguments("a folder of results"),
		ValidArgsFunction: completeFolder,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.serve(cmd.Context(), args, listen) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(word{&listen, "ADDRESS"}, "listen", "host and port to listen at; port 0 means any free port")
	a.addFullErrors(flags)
	return cmd
}

// serve shows folders until ctx ends or a signal comes, which is no error.
func (a *app) serve(ctx context.Context, dirs []string, listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return usagef("--listen %s: give a host and a port, like %s", listen, defaultListen)
	}
	pages, err := a.servedPages(dirs)
	if err != nil {
		return err
	}
	ctx, stop := stopBySignal(ctx)
	defer stop()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w; choose another address", listen, err)
	}
	anyHost := !isLoopback(host)
	server := &http.Server{
		Handler: guarded(anyHost, pages.handler()), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
	}
	for _, s := range pages {
		say(a.stderr, "%s: %s\n", s.store.Dir(), strings.ToLower(s.live.Text[:1])+s.live.Text[1:])
	}
	if anyHost {
		a.warn("other machines can open %s and read these results\n", listener.Addr())
	}
	if _, err := fmt.Fprintf(a.stdout, "http://%s/\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if len(pages) == 1 {
		s := pages[0]
		go s.follow(ctx, s.live, time.Tick(tellEvery), func(text string) { say(a.stderr, "%s\n", text) })
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(last) != nil {
		return server.Close()
	}
	return nil
}

// tellEvery is how often it is looked how far the runs have come.
const tellEvery = 2 * time.Second

// follow tells at a tick how far the runs have come, if that has changed since last, until ctx
// ends. What cannot be read is told by the page.
func (s *pageServer) follow(ctx context.Context, last report.Live, ticks <-chan time.Time, tell func(text string)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
		version, err := folderVersion(s.store.Dir())
		if err != nil || version == last.Version {
			continue
		}
		results, planned, err := s.store.Progress()
		if err != nil {
			continue
		}
		text := progressText(results, planned)
		if text != last.Text {
			tell(text)
		}
		last = report.Live{Version: version, Text: text}
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// pageServer shows one folder of results. It reads no path that a request names.
type pageServer struct {
	store *results.Store

	mu    sync.Mutex // one page is made at a time
	page  []byte
	live  report.Live // as on the page
	after time.Time   // when the next page may be made
}

func (s *pageServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showPage)
	mux.HandleFunc("GET /progress", s.showProgress)
	return mux
}

// guarded lets a handler answer requests that are meant for it alone.
func guarded(anyHost bool, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-cache")
		// A name that another site has made to point here is not this server's.
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !anyHost && !isLoopback(strings.Trim(host, "[]")) {
			http.Error(w, fmt.Sprintf("this server does not answer to the name %q", r.Host), http.StatusMisdirectedRequest)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

func (s *pageServer) showPage(w http.ResponseWriter, r *http.Request) {
	page, live, err := s.current()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, r, live.Version, "text/html; charset=utf-8", page)
}

func (s *pageServer) showProgress(w http.ResponseWriter, r *http.Request) {
	_, live, err := s.current()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	text, err := json.Marshal(live)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, r, live.Version, "application/json", text)
}

// answer writes what has not changed since the client's version as such.
func answer(w http.ResponseWriter, r *http.Request, version, kind string, content []byte) {
	w.Header().Set("ETag", `"`+version+`"`)
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// current returns the page of the folder, made again if the folder has changed, except for at most a
// fifth of the time. A folder where no run has finished is no error.
func (s *pageServer) current() ([]byte, report.Live, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := time.Now()
	version, err := folderVersion(s.store.Dir())
	if err != nil {
		return nil, report.Live{}, err
	}
	if s.page != nil && (version == s.live.Version || begun.Before(s.after)) {
		return s.page, s.live, nil
	}
	found, planned, err := s.store.Progress()
	if err != nil {
		return nil, report.Live{}, err
	}
	if found == nil {
		found = &results.Results{}
	}
	live := report.Live{Version: version, Text: progressText(found, planned)}
	var page bytes.Buffer
	if err := report.WritePage(&page, s.store, found, &live); err != nil {
		return nil, report.Live{}, err
	}
	s.page, s.live = page.Bytes(), live
	s.after = time.Now().Add(4 * time.Since(begun))
	return s.page, s.live, nil
}

// progressText says how many runs of a folder have finished, none if r is nil, of how many that are
// planned, 0 if no command is in progress.
func progressText(r *results.Results, planned int) string {
	finished := 0
	if r != nil {
		finished = len(r.Runs)
	}
	switch {
	case planned > 0 && finished > 0:
		return fmt.Sprintf("In progress; finished runs: %d of %d.", finished, planned)
	case planned > 0:
		return fmt.Sprintf("In progress; finished runs: 0 of %d.", planned)
	case finished > 0:
		return fmt.Sprintf("Complete; finished runs: %d.", finished)
	}
	return "No run has finished yet."
}

// folderVersion changes with the files that a page is made from.
func folderVersion(dir string) (string, error) {
	files := foreign.Folder(dir)
	names := []string{"data.npz"}
	for _, folder := range []string{".", "runs"} {
		entries, err := files.Entries(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%w: %w", results.ErrResults, err)
		}
		for _, entry := range entries { // in the order of their names
			if path.Ext(entry.Name()) == ".json" {
				names = append(names, path.Join(folder, entry.Name()))
			}
		}
	}
	h := sha256.New()
	for _, name := range names {
		info, err := files.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", results.ErrResults, err)
		}
		fmt.Fprintf(h, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
}
