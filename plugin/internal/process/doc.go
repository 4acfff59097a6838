// Package process starts the executable of a plugin, connects to it, and makes sure that nothing of it outlives its use: no process
// of its group, no socket, no temporary file, even where this program is killed.
//
// The plugin runs in a process group of its own, with a pipe as standard input that ends with this program, and with a private folder
// for its socket and temporary files. Folders of programs that were killed are removed at the next start.
//
// It may import core and wire.
package process
