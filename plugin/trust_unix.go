//go:build unix

package plugin

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// writableByOthers says who but the user and the system's administrator can write a file or folder,
// or change a link, and what to do; "" for no one. A group that has the user's own number is taken
// for the user's own. A folder with the sticky bit lets others add files, not replace them.
func writableByOthers(path string, info fs.FileInfo) (why, remedy string) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", ""
	}
	mode := info.Mode()
	close := "chmod go-w " + path
	switch {
	case !trusted(stat.Uid):
		return fmt.Sprintf("belongs to another user (%d)", stat.Uid), "put the plugin into a folder of your own"
	case mode&fs.ModeSymlink != 0, info.IsDir() && mode&fs.ModeSticky != 0:
		return "", ""
	case mode.Perm()&0o002 != 0:
		return "can be written by everyone", close
	case mode.Perm()&0o020 == 0:
		return "", ""
	}
	ownGroup := stat.Gid == 0 || stat.Gid == stat.Uid
	// Where there is an access list, the bits of the group are the most that it allows anyone.
	if who, there := accessList(path, ownGroup); there {
		if who == "" {
			return "", ""
		}
		return "can be written by " + who + ", as its access list says", "setfacl --remove-all " + path
	}
	if !ownGroup {
		return fmt.Sprintf("can be written by the group %d", stat.Gid), close
	}
	return "", ""
}

// trusted says whose files are not others'.
func trusted(user uint32) bool { return user == 0 || int(user) == os.Geteuid() }
