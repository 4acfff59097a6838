package plugin

import (
	"encoding/binary"
	"fmt"
	"syscall"
)

// accessList says whom the access list of a file lets write it, "" for no one but the user and the
// administrator, and whether there is a list. ownGroup says that the group of the file is the
// user's own. The form is that of linux/posix_acl_xattr.h: a version of 4 bytes, then entries of a
// tag, permissions and a number.
func accessList(path string, ownGroup bool) (who string, there bool) {
	const (
		user, fileGroup, group = 0x02, 0x04, 0x08
		write                  = 2
	)
	list := make([]byte, 1<<16)
	n, err := syscall.Getxattr(path, "system.posix_acl_access", list)
	if err != nil || n < 4 {
		return "", false
	}
	for entry := list[4:n]; len(entry) >= 8; entry = entry[8:] {
		tag, allowed := binary.LittleEndian.Uint16(entry), binary.LittleEndian.Uint16(entry[2:])
		number := binary.LittleEndian.Uint32(entry[4:])
		switch {
		case allowed&write == 0:
		case tag == user && !trusted(number):
			return fmt.Sprintf("the user %d", number), true
		case tag == group && number != 0:
			return fmt.Sprintf("the group %d", number), true
		case tag == fileGroup && !ownGroup:
			return "its group", true
		}
	}
	return "", true
}
