// Package plugin is about methods, parts of methods and tasks that live in other processes.
//
// For authors, [Serve] makes a program a plugin:
//
//	func main() { plugin.Serve(myMethod{}) }
//
// where myMethod is of one of the kinds of package core. Authors in other languages implement
// package wire's plugin.proto.
//
// For programs that use plugins, [Open] describes one, and what it returns are core's kinds again,
// which start a process of the plugin for every run they take part in. [Find] looks for plugins in
// folders, and a [Lock] pins their SHA-256.
package plugin
