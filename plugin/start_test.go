//go:build unix

package plugin_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

// TestStarts: whatever keeps a plugin from starting is told in words, and nothing of it is left.
func TestStarts(t *testing.T) {
	path := testPlugin(t)
	late := []string{"within ", "--plugin-start-timeout"}
	for what, c := range map[string]struct {
		kind error
		says []string
	}{
		"hang":             {core.ErrCrashed, append(late, "did not write its handshake")},
		"partial":          {core.ErrCrashed, []string{`far wrote "Loading weights" instead of its handshake`}},
		"children":         {core.ErrCrashed, append(late, "did not write its handshake")},
		"deaf":             {core.ErrCrashed, append(late, "did not say what it serves")},
		"hung description": {core.ErrCrashed, append(late, "did not say what it serves")},
		"exit":             {core.ErrCrashed, []string{"far ended before its handshake (exit status 0)"}},
		"fail":             {core.ErrCrashed, []string{"far ended before its handshake (exit status 3)", "no licence"}},
		"noise": {core.ErrCrashed,
			[]string{`far wrote "Loading weights, please wait" instead of its handshake`, "log to standard error"}},
		"flood": {core.ErrCrashed, []string{`far wrote "xxx`, "instead of its handshake"}},
		"version": {core.ErrCrashed,
			[]string{"far speaks version 7 of the plugin protocol and this program version 1"}},
		"core":        {core.ErrCrashed, []string{`far wrote "9|1|unix|/tmp/none|grpc" instead of its handshake`}},
		"tcp":         {core.ErrCrashed, []string{`listens on the network "tcp"`, "Unix socket"}},
		"elsewhere":   {core.ErrCrashed, []string{"not in the private folder $PLUGIN_UNIX_SOCKET_DIR"}},
		"no socket":   {core.ErrCrashed, []string{"its socket is not there"}},
		"netrpc":      {core.ErrCrashed, []string{"far started, but cannot be reached", "netrpc"}},
		"certificate": {core.ErrCrashed, []string{"far started, but cannot be reached", "server cert"}},
		"garbage":     {core.ErrCrashed, []string{"far started, but cannot be reached"}},
		"cookie": {core.ErrCrashed,
			[]string{"far ended before its handshake (exit status 1)", `It serves the method "method"`, "bench run --plugin"}},
		"nothing": {core.ErrCrashed,
			[]string{"far ended before its handshake (exit status 1)", "there is nothing to serve"}},
		"twice":         {core.ErrCrashed, []string{"exit status 1", `two things of the kind METHOD are called "method"`}},
		"no kind":       {core.ErrCrashed, []string{"exit status 1", "a string is no method"}},
		"two of a name": {core.ErrDescription, []string{`two things of the kind METHOD called "method"`}},
		"bad name":      {core.ErrDescription, []string{`the name "Bad Name" must be`}},
		"several faults": {core.ErrDescription, []string{
			`"method" is of the unknown kind 77`, `the name "Bad Name" must be`}},
		"unknown kind":   {core.ErrDescription, []string{`"method" is of the unknown kind 77`}},
		"long version":   {core.ErrDescription, []string{"its version has 1025 bytes", "the most of each is 1024"}},
		"infinite bound": {core.ErrDescription, []string{`the option "rate" takes numbers in 0 … +Inf; both ends`}},
		"no things":      {core.ErrDescription, []string{"it does not serve anything"}},
		"no service":     {core.ErrContract, []string{"far does not say what it serves", "unknown service", "Describe"}},
	} {
		t.Run(what, func(t *testing.T) {
			if testing.Short() && (what == "garbage" || what == "partial" || what == "children" || what == "deaf") {
				t.Skip("-short leaves out what waits")
			}
			leavesNothing(t)
			t.Setenv(actVariable, "start="+what)
			o := &plugin.Options{Grace: grace}
			waits := what == "partial" || c.says[0] == late[0]
			if waits {
				o.StartTimeout = 400 * time.Millisecond
			}
			start := time.Now()
			p, err := plugin.Open(t.Context(), path, o)
			for waits && err != nil && !strings.Contains(err.Error(), c.says[len(c.says)-1]) && o.StartTimeout < hangs {
				o.StartTimeout *= 4 // a busy machine has not come as far
				p, err = plugin.Open(t.Context(), path, o)
			}
			assert.Nil(t, p)
			require.ErrorIs(t, err, c.kind)
			assert.ErrorContains(t, err, "plugin "+path+": ")
			for _, says := range c.says {
				assert.ErrorContains(t, err, says)
			}
			if c.says[0] == late[0] {
				assert.ErrorContains(t, err, "within "+o.StartTimeout.String())
			}
			assert.Less(t, time.Since(start), 4*hangs)
		})
	}
	for _, f := range []string{"/tmp/kb*.sock"} { // of "elsewhere", whose process was killed
		found, _ := filepath.Glob(f)
		for _, path := range found {
			assert.NoError(t, os.Remove(path))
		}
	}
}

// TestStopWhileStarting: the start of a plugin ends with its context, at any time of it.
func TestStopWhileStarting(t *testing.T) {
	path := testPlugin(t)
	for _, after := range []time.Duration{-1, 0, 2 * time.Millisecond, 100 * time.Millisecond} {
		for _, what := range []string{"hang", "deaf", "hung description"} {
			t.Run(after.String()+" "+what, func(t *testing.T) {
				leavesNothing(t)
				t.Setenv(actVariable, "start="+what)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if after < 0 {
					cancel()
				} else {
					time.AfterFunc(after, cancel)
				}
				start := time.Now()
				_, err := plugin.Open(ctx, path, &plugin.Options{Grace: grace})
				assert.ErrorIs(t, err, context.Canceled)
				assert.Less(t, time.Since(start), hangs)
			})
		}
	}
}

// TestChangingDescription: a plugin that is another thing each time cannot be used, and is told so.
func TestChangingDescription(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "describe=change")
	p := openPlugin(t, testPlugin(t))
	ctx, scope := core.WithScope(t.Context())
	err := useMethod(ctx, t, p.Things)
	require.ErrorIs(t, err, core.ErrContract)
	assert.ErrorContains(t, err, "plugin far describes what it serves differently each time")
	assert.NoError(t, scope.Close())
}

// TestChangedFile: a plugin whose file has changed since it was described is not started again.
func TestChangedFile(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "none")
	path := testPlugin(t)
	p := openPlugin(t, path)
	require.NoError(t, p.CheckFile())
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(script, '#'), 0o755))
	ctx, scope := core.WithScope(t.Context())
	for _, err := range []error{p.CheckFile(), useLoss(ctx, t, p.Things)} {
		require.ErrorIs(t, err, plugin.ErrLock)
		assert.ErrorContains(t, err, path+" has changed since it was described; start the command again")
	}
	assert.NoError(t, scope.Close())
}

// elf is the start of a program for a processor that no one has.
func elf() []byte {
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(header[16:], 2)      // an executable
	binary.LittleEndian.PutUint16(header[18:], 0xfffe) // the processor
	binary.LittleEndian.PutUint32(header[20:], 1)
	return header
}

// TestFiles: what cannot be run says why, and what to do.
func TestFiles(t *testing.T) {
	leavesNothing(t)
	write := func(content string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "far")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	folder := t.TempDir()
	linked := func(folder os.FileMode, target string) string {
		path := filepath.Join(t.TempDir(), "in", "far")
		require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
		require.NoError(t, os.Symlink(target, path))
		require.NoError(t, os.Chmod(filepath.Dir(path), folder))
		return path
	}
	writable := write("#!/bin/sh\n", 0o777)
	open := write("#!/bin/sh\n", 0o755)
	require.NoError(t, os.Chmod(filepath.Dir(open), 0o777))
	above := filepath.Join(t.TempDir(), "open", "in", "far")
	require.NoError(t, os.MkdirAll(filepath.Dir(above), 0o755))
	require.NoError(t, os.WriteFile(above, []byte("#!/bin/sh\n"), 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(above)), 0o777))
	middle, safe := filepath.Join(t.TempDir(), "middle"), t.TempDir()
	require.NoError(t, os.Mkdir(middle, 0o777))
	require.NoError(t, os.Chmod(middle, 0o777))
	require.NoError(t, os.Symlink(filepath.Dir(write("#!/bin/sh\n", 0o755)), filepath.Join(middle, "to")))
	require.NoError(t, os.Symlink("../../../../../../../../../../../"+filepath.Dir(above), filepath.Join(safe, "to")))
	for name, c := range map[string]struct {
		path string
		kind error
		says []string
	}{
		"absent":     {filepath.Join(folder, "none"), nil, []string{"there is no file"}},
		"folder":     {folder, nil, []string{"is not a file"}},
		"no run bit": {write("#!/bin/sh\n", 0o644), nil, []string{"is not executable", "chmod +x"}},
		"other processor": {write(string(elf()), 0o755), nil, []string{"is a program for the processor ", " (ELF), and " +
			"this is "}},
		"no #!": {write("echo hello\n", 0o755), nil, []string{"its first line does not begin with #!"}},
		"empty": {write("", 0o755), nil, []string{"its first line does not begin with #!"}},
		"no interpreter": {write("#!/nowhere/python\n", 0o755), nil,
			[]string{"its first line names the interpreter /nowhere/python, which does not exist"}},
		"Windows line ends": {write("#!/bin/sh\r\necho\r\n", 0o755), nil,
			[]string{"Windows line end", `sed -i 's/\r$//' `}},
		"writable": {writable, plugin.ErrWritable,
			[]string{"can be written by everyone", "chmod go-w", "--plugin-allow-writable"}},
		"writable folder": {open, plugin.ErrWritable, []string{filepath.Dir(open) + " can be written by everyone"}},
		"writable target": {linked(0o755, writable), plugin.ErrWritable, []string{writable}},
		"folder of a link": {linked(0o777, write("#!/bin/sh\n", 0o755)), plugin.ErrWritable,
			[]string{"/in can be written by everyone"}},
		"dangling link": {linked(0o755, filepath.Join(folder, "none")), nil, []string{"there is no file"}},
		"folder above": {above, plugin.ErrWritable, []string{filepath.Dir(filepath.Dir(above)) +
			" can be written by everyone"}},
		"link in the middle": {filepath.Join(middle, "to", "far"), plugin.ErrWritable,
			[]string{middle + " can be written by everyone"}},
		"target of a link in the middle": {filepath.Join(safe, "to", "far"), plugin.ErrWritable,
			[]string{filepath.Dir(filepath.Dir(above)) + " can be written by everyone"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := plugin.Open(t.Context(), c.path, nil)
			assert.Nil(t, p)
			require.Error(t, err)
			if c.kind != nil {
				assert.ErrorIs(t, err, c.kind)
			}
			assert.ErrorContains(t, err, "plugin "+c.path+": ")
			for _, says := range c.says {
				assert.ErrorContains(t, err, says)
			}
		})
	}
}

// TestAllowedWritable: a plugin that others can write runs if the user says so.
func TestAllowedWritable(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "none")
	path := testPlugin(t)
	require.NoError(t, os.Chmod(path, 0o777))
	_, err := plugin.Open(t.Context(), path, nil)
	require.ErrorIs(t, err, plugin.ErrWritable)
	p, err := plugin.Open(t.Context(), path, &plugin.Options{AllowWritable: true})
	require.NoError(t, err)
	assert.NoError(t, p.Close())
}

// TestPin: the file is checked at every start.
func TestPin(t *testing.T) {
	leavesNothing(t)
	t.Setenv(actVariable, "none")
	path := testPlugin(t)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	for _, pin := range []string{hex.EncodeToString(sum[:]), strings.ToUpper(hex.EncodeToString(sum[:])), ""} {
		p, err := plugin.Open(t.Context(), path, &plugin.Options{SHA256: pin, Grace: grace})
		require.NoError(t, err)
		assert.Equal(t, pin != "", p.Info().Pinned)
		require.NoError(t, useLoss(t.Context(), t, p.Things))

		require.NoError(t, os.WriteFile(path, append(text, "# changed\n"...), 0o755))
		ctx, scope := core.WithScope(t.Context())
		err = useLoss(ctx, t, p.Things)
		require.ErrorIs(t, err, plugin.ErrLock)
		assert.ErrorContains(t, err, path)
		assert.NoError(t, scope.Close())
		require.NoError(t, os.WriteFile(path, text, 0o755))
		assert.NoError(t, p.Close())
	}
	_, err = plugin.Open(t.Context(), path, &plugin.Options{SHA256: strings.Repeat("0", 64)})
	require.ErrorIs(t, err, plugin.ErrLock)
	assert.ErrorContains(t, err, "bench plugin lock")
}

// TestLongTemporaryFolder: where the folder for temporary files has a path that is too long for
// sockets, another is taken.
func TestLongTemporaryFolder(t *testing.T) {
	base := leavesNothing(t)
	long := filepath.Join(base, strings.Repeat("long", 20))
	require.NoError(t, os.Mkdir(long, 0o700))
	t.Setenv(actVariable, "none")
	path := testPlugin(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv("TMPDIR", long)
	p := openPlugin(t, path)
	assert.NoError(t, useLoss(t.Context(), t, p.Things))
	assert.NoError(t, p.Close())
	found, err := os.ReadDir(long)
	require.NoError(t, err)
	assert.Empty(t, found)
	assert.NoError(t, os.Remove(long))
}
