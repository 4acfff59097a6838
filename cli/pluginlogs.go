package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/koopbench/koopbench/internal/foreign"
)

// pluginLogs are the logs of plugins: kept in memory until there is a folder, then in its NAME.log, and on the terminal
// too if there is one.
type pluginLogs struct {
	terminal io.Writer // nil for none

	mu     sync.Mutex
	folder string
	files  map[string]*logFile
}

// logName is the name of a plugin's log.
func logName(path string) string { return filepath.Base(path) + ".log" }

// mostKept is how much of a log is kept in memory.
const mostKept = 1 << 20

// logFile is the log of one plugin.
type logFile struct {
	logs *pluginLogs
	name string
	kept bytes.Buffer
	full bool // kept is
	file *os.File
}

// of returns the log of a plugin.
func (l *pluginLogs) of(path string) hclog.Logger {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.files == nil {
		l.files = map[string]*logFile{}
	}
	name := logName(path)
	if l.files[name] == nil {
		l.files[name] = &logFile{logs: l, name: name}
	}
	out := io.Writer(l.files[name])
	if l.terminal != nil {
		out = io.MultiWriter(out, l.terminal)
	}
	return hclog.New(&hclog.LoggerOptions{Name: filepath.Base(path), Level: hclog.Debug, Output: out})
}

// file returns what names the file that a plugin's log is in, "" while it is in none.
func (l *pluginLogs) file(path string) func() string {
	return func() string {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.folder == "" {
			return ""
		}
		return filepath.Join(l.folder, logName(path))
	}
}

// moveTo makes what is logged from now on, and what was kept, files in a folder; "" keeps what is logged for the next.
func (l *pluginLogs) moveTo(folder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if folder != l.folder {
		l.closeFiles()
	}
	l.folder = folder
}

// Write appends to the log. A log that cannot be written is no reason to fail.
func (f *logFile) Write(text []byte) (int, error) {
	f.logs.mu.Lock()
	defer f.logs.mu.Unlock()
	if f.logs.folder == "" {
		switch {
		case f.full:
		case f.kept.Len()+len(text) > mostKept:
			f.full = true
			f.kept.WriteString("(the rest of the log of the start is left out, because it is larger than 1 MiB)\n")
		default:
			f.kept.Write(text)
		}
		return len(text), nil
	}
	f.open()
	if f.file != nil {
		_, _ = f.file.Write(text)
	}
	return len(text), nil
}

func (f *logFile) open() {
	if f.file != nil || os.MkdirAll(filepath.Dir(f.logs.folder), 0o777) != nil {
		return
	}
	results, folder := foreign.Folder(filepath.Dir(f.logs.folder)), filepath.Base(f.logs.folder)
	if results.Make(folder) != nil {
		return // a link, for instance: the folder may be from others
	}
	file, err := results.Change(folder+"/"+f.name, true)
	if err != nil {
		return
	}
	f.file = file
	_, _ = file.Write(f.kept.Bytes())
	f.kept.Reset()
}

// close closes the files.
func (l *pluginLogs) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeFiles()
}

func (l *pluginLogs) closeFiles() {
	for _, f := range l.files {
		if l.folder != "" && f.kept.Len() > 0 {
			f.open()
		}
		if f.file != nil {
			_ = f.file.Close()
			f.file = nil
		}
	}
}
