// Package process starts the executable of a plugin, connects to it, and makes sure that nothing of
// it outlives its use: no process of its group, no socket, no temporary file, even where this
// program is killed.
//
// The plugin runs in a process group of its own, with a pipe as standard input that ends with this
// program, and with a private folder for its socket and temporary files. A guard, a process of the
// shell, kills the group if this program has been killed and the plugin takes no notice. On Linux
// processes that have left the group are found by the name of the folder in their environment.
// Folders of programs that were killed are removed at the next start.
//
// It may import core and wire.
package process
