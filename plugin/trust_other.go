//go:build !unix

package plugin

import "io/fs"

func writableByOthers(string, fs.FileInfo) (why, remedy string) { return "", "" }
