package plugin

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// setAccessList gives a file an access list by which that user may write it: the owner, that user,
// the group, the most of these, and the others, as setfacl -m u:USER:rwx does.
func setAccessList(t *testing.T, path string, user uint32) {
	t.Helper()
	list := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range [][3]uint32{{1, 7, 1<<32 - 1}, {2, 7, user}, {4, 5, 1<<32 - 1}, {16, 7, 1<<32 - 1},
		{32, 5, 1<<32 - 1}} {
		list = binary.LittleEndian.AppendUint16(list, uint16(e[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(e[1]))
		list = binary.LittleEndian.AppendUint32(list, e[2])
	}
	if err := syscall.Setxattr(path, "system.posix_acl_access", list, 0); err != nil {
		t.Skipf("the file system has no access lists: %v", err)
	}
}

// TestAccessLists: what an access list allows others is found, in a folder above too, though the
// group is the user's own.
func TestAccessLists(t *testing.T) {
	const stranger = 4242
	folder := filepath.Join(t.TempDir(), "folder")
	path := filepath.Join(folder, "in", "far")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755))
	require.NoError(t, checkTrust(path, false))
	setAccessList(t, path, uint32(os.Geteuid()))
	require.NoError(t, checkTrust(path, false), "the user alone")
	for _, listed := range []string{path, folder} {
		setAccessList(t, listed, stranger)
		err := checkTrust(path, false)
		require.ErrorIs(t, err, ErrWritable)
		assert.ErrorContains(t, err, listed+" can be written by the user 4242, as its access list says")
		assert.ErrorContains(t, err, "setfacl --remove-all "+listed)
		assert.NoError(t, checkTrust(path, true))
		require.NoError(t, syscall.Removexattr(listed, "system.posix_acl_access"))
		require.NoError(t, os.Chmod(listed, 0o755))
	}
}

// TestOthersOnTheWay: folders, links and files of another user are refused, wherever they are on
// the way. (Only the administrator can give files away.)
func TestOthersOnTheWay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files can be given to another user by the administrator only")
	}
	const stranger = 4242
	base := t.TempDir()
	path := filepath.Join(base, "a", "b", "far")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755))
	link := filepath.Join(base, "link")
	require.NoError(t, os.Symlink("a/b", link))
	through := filepath.Join(link, "far")
	require.NoError(t, checkTrust(through, false))
	for _, theirs := range []string{path, filepath.Join(base, "a"), link} {
		require.NoError(t, os.Lchown(theirs, stranger, stranger))
		err := checkTrust(through, false)
		require.ErrorIs(t, err, ErrWritable, theirs)
		assert.ErrorContains(t, err, theirs+" belongs to another user (4242)")
		assert.ErrorContains(t, err, "put the plugin into a folder of your own")
		require.NoError(t, os.Lchown(theirs, 0, 0))
	}
}
