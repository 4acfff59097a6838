//go:build unix

package plugin

import (
	"fmt"
	"os"
	"syscall"
)

// writableByOthers says who but the user and the system's administrator can write a file or folder, "" for no one. A group that has
// the user's own number is taken for the user's own. A folder with the sticky bit lets others add files, not replace them.
func writableByOthers(info os.FileInfo) string {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	mode := info.Mode()
	sticky := info.IsDir() && mode&os.ModeSticky != 0
	switch {
	case int(stat.Uid) != os.Geteuid() && stat.Uid != 0:
		return fmt.Sprintf("belongs to another user (%d)", stat.Uid)
	case mode.Perm()&0o002 != 0 && !sticky:
		return "can be written by everyone"
	case mode.Perm()&0o020 != 0 && !sticky && stat.Gid != 0 && stat.Gid != stat.Uid:
		return fmt.Sprintf("can be written by the group %d", stat.Gid)
	}
	return ""
}
