// Package plugin connects methods, parts of methods and tasks that run in other processes.
//
// For authors, [Serve] makes a program a plugin:
//
//	func main() { plugin.Serve(myMethod{}) }
//
// Here myMethod is of one of the kinds of package core. Authors in other languages implement
// plugin.proto of package wire.
//
// For programs that use plugins, [Open] reads the description of a plugin. It returns things of
// core's kinds, which start a process of the plugin for every run that uses them. [Find] looks for
// plugins in folders, and a [Lock] pins their SHA-256.
package plugin
