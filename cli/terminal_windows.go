package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// isTerminal reports whether f is a terminal, and has it obey escape sequences.
func isTerminal(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
