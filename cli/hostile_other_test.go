//go:build !linux

package cli

// hostileMain: there are tests of hostile files on Linux only, which tells how much memory a child took.
var hostileMain func()
