// Package methods holds the built-in methods, one folder a method. Each may import core, nn and linalg.
package methods
