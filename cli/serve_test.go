package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/benchmark/report"
	"github.com/koopbench/koopbench/benchmark/results"
)

// reply is all of a response but its body.
type reply struct {
	StatusCode int
	Header     http.Header
}

func get(t *testing.T, url string, header ...string) (reply, string) {
	t.Helper()
	return request(t, http.MethodGet, url, header...)
}

func request(t *testing.T, method, url string, header ...string) (reply, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{response.StatusCode, response.Header}, string(body)
}

func testServer(t *testing.T, dir string) *httptest.Server {
	server := httptest.NewServer(guarded(false, (&pageServer{store: results.OpenStore(dir)}).handler()))
	t.Cleanup(server.Close)
	return server
}

func progressOf(t *testing.T, server *httptest.Server) (live report.Live) {
	t.Helper()
	response, body := get(t, server.URL+"/progress")
	require.Equal(t, http.StatusOK, response.StatusCode, body)
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal([]byte(body), &live))
	return live
}

// TestServeFollowsRuns: nothing, then a plan, then some of its runs, then all.
func TestServeFollowsRuns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.Mkdir(out, 0o755))
	server := testServer(t, out)
	empty := progressOf(t, server)
	assert.Equal(t, "No run has finished yet.", empty.Text)
	response, page := get(t, server.URL)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Contains(t, page, "No run has finished yet")

	fakes := newFakes()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan output, 1)
	args := tiny(dataFolder(t), out, "--methods", "template,blocking", "-q")
	go func() { done <- call(ctx, fakes.config(), args...) }()
	select {
	case <-fakes.began: // the other is finished
	case <-time.After(hangs):
		require.FailNow(t, "the blocking method did not begin")
	}
	assert.Eventually(t, func() bool {
		return progressOf(t, server).Text == "In progress; finished runs: 1 of 2."
	}, hangs, 10*time.Millisecond)
	_, page = get(t, server.URL)
	assert.Contains(t, page, "In progress; finished runs: 1 of 2.")
	assert.Contains(t, page, "template")

	cancel()
	assert.Equal(t, exitInterrupted, (<-done).status)
	assert.Eventually(t, func() bool {
		return progressOf(t, server).Text == "Complete; finished runs: 1."
	}, hangs, 10*time.Millisecond)
	assert.NotEqual(t, empty.Version, progressOf(t, server).Version)
}

func TestServeAnswers(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	require.Zero(t, call(t.Context(), newFakes().config(),
		tiny(dataFolder(t), out, "--methods", "template", "-q")...).status)
	server := testServer(t, out)
	for _, path := range []string{"/", "/progress"} {
		response, body := get(t, server.URL+path)
		require.Equal(t, http.StatusOK, response.StatusCode)
		tag := response.Header.Get("ETag")
		require.NotEmpty(t, tag)
		assert.Equal(t, "nosniff", response.Header.Get("X-Content-Type-Options"))
		again, nothing := get(t, server.URL+path, "If-None-Match", tag)
		assert.Equal(t, http.StatusNotModified, again.StatusCode)
		assert.Empty(t, nothing)
		assert.NotEmpty(t, body)

		later := time.Now().Add(time.Hour)
		require.NoError(t, os.Chtimes(filepath.Join(out, "results.json"), later, later))
		assert.Eventually(t, func() bool {
			response, _ := get(t, server.URL+path, "If-None-Match", tag)
			return response.StatusCode == http.StatusOK
		}, hangs, 10*time.Millisecond, "a change makes a new tag")

		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			response, _ := request(t, method, server.URL+path)
			assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode, method)
		}
	}
	for _, path := range []string{"/results.json", "/runs/", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
		"/..%2fdata.npz", "/progress/../results.json", "//etc/passwd", "/report.html/../oracle.json"} {
		response, body := get(t, server.URL+path)
		assert.Equal(t, http.StatusNotFound, response.StatusCode, path)
		assert.NotContains(t, body, "schema")
	}
	for host, want := range map[string]int{
		"localhost": 200, "localhost:1234": 200, "127.0.0.1:80": 200, "[::1]:80": 200, "evil.example": 421,
		"evil.example:80": 421, "127.0.0.1.evil.example": 421,
	} {
		response, _ := get(t, server.URL, "Host", host)
		assert.Equal(t, want, response.StatusCode, host)
	}
}

func TestServeBrokenResults(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "results.json"), []byte(`{"schema":"another/9"}`), 0o644))
	server := testServer(t, dir)
	response, body := get(t, server.URL)
	assert.Equal(t, http.StatusInternalServerError, response.StatusCode)
	assert.Contains(t, body, `has the schema "another/9"`)
	got := call(t.Context(), newFakes().config(), "serve", dir)
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, `has the schema "another/9"`)
}

// TestServe is the whole command: it prints where it is, answers there, and ends with its context as with Ctrl-C.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	var stderr bytes.Buffer
	status := make(chan int, 1)
	go func() { status <- Main(ctx, []string{"serve", dir}, nil, write, &stderr, newFakes().config()) }()
	line := make([]byte, 200)
	n, err := read.Read(line)
	require.NoError(t, err)
	url := strings.TrimSpace(string(line[:n]))
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/$`, url)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			response, body := get(t, url)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Contains(t, body, "No run has finished yet")
		})
	}
	clients.Wait()
	stop()
	select {
	case got := <-status:
		assert.Zero(t, got)
	case <-time.After(hangs):
		require.FailNow(t, "it did not end")
	}
	assert.Equal(t, dir+": no run has finished yet.\n", stderr.String())
}

func TestServeAddressTaken(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { assert.NoError(t, listener.Close()) }()
	got := call(t.Context(), newFakes().config(), "serve", t.TempDir(), "--listen", listener.Addr().String())
	assert.Equal(t, exitFailure, got.status)
	assert.Contains(t, got.stderr, "choose another address")
}

// TestServeTells: the terminal is told how far the runs have come, once for each change.
func TestServeTells(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	require.NoError(t, os.Mkdir(out, 0o755))
	s := &pageServer{store: results.OpenStore(out)}
	_, live, err := s.current()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	var told []string
	var following sync.WaitGroup
	following.Go(func() { s.follow(ctx, live, ticks, func(text string) { told = append(told, text) }) })
	look := func() {
		ticks <- time.Time{}
		ticks <- time.Time{} // which is taken when the one before is done with
	}
	look()
	data := dataFolder(t)
	for _, seeds := range []string{"0", "0", "0,1"} {
		run := tiny(data, out, "--methods", "template", "--seeds", seeds, "-q")
		require.Zero(t, call(t.Context(), newFakes().config(), run...).status)
		look()
	}
	cancel()
	following.Wait()
	assert.Equal(t, []string{"Complete; finished runs: 1.", "Complete; finished runs: 2."}, told)
}

// TestServeIndex: several folders have an index, and each its page and progress below it.
func TestServeIndex(t *testing.T) {
	data, base := dataFolder(t), t.TempDir()
	for _, name := range []string{"first", "second"} {
		got := call(t.Context(), newFakes().config(), tiny(data, filepath.Join(base, name), "--methods", "template",
			"--seeds", "0..1")...)
		require.Zero(t, got.status, got.stderr)
	}
	require.NoError(t, os.Mkdir(filepath.Join(base, "other"), 0o700))
	a := &app{}
	pages, err := a.servedPages([]string{base})
	require.NoError(t, err)
	server := httptest.NewServer(guarded(false, pages.handler()))
	t.Cleanup(server.Close)
	response, index := get(t, server.URL+"/")
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, "text/html; charset=utf-8", response.Header.Get("Content-Type"))
	for _, name := range []string{"first", "second"} {
		assert.Contains(t, index, filepath.Join(base, name)+"</a>")
	}
	assert.NotContains(t, index, "other</a>")
	assert.Contains(t, index, `<a href="2/">`)
	assert.Contains(t, index, "<td>0,1</td>")
	for path, status := range map[string]int{
		"/1/": http.StatusOK, "/2/progress": http.StatusOK, "/3/": http.StatusNotFound, "/progress": http.StatusNotFound,
	} {
		response, _ := get(t, server.URL+path)
		assert.Equal(t, status, response.StatusCode, path)
	}
	response, _ = get(t, server.URL+"/1/", "Host", "evil.example")
	assert.Equal(t, http.StatusMisdirectedRequest, response.StatusCode)
	pages, err = a.servedPages([]string{filepath.Join(base, "first")})
	require.NoError(t, err)
	assert.Len(t, pages, 1)
}
