// Package wire is the wire format between koopbench and a plugin. It is generated from
// plugin.proto, which documents it for authors in any language. Go authors use package plugin
// instead.
package wire

//go:generate sh -c "cd gen && go run ."
