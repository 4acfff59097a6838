// Package process starts the executable of a plugin and connects to it. It makes sure that nothing
// of the plugin remains after its use: no process of its group, no socket, and no temporary file.
// This holds even if this program is killed.
//
// The plugin runs in its own process group. Its standard input is a pipe that closes when this
// program ends. It has a private folder for its socket and temporary files. A guard, which is a
// shell process, kills the group if this program is killed and the plugin does not stop by itself.
// On Linux, processes that have left the group are found by the name of the folder in their
// environment. Folders of killed programs are removed at the next start.
//
// It may import core and wire.
package process
