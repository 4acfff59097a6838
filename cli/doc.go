// Package cli is the command line. It makes a command from a registry: `bench run` trains and
// judges, `list` and `info` describe, `report`, `serve`, `compare`, `merge` and `verify` work on
// results, `predict` uses saved models, and `plugin` handles programs of other people. Command
// bench is [Main] with the built-in things. A third party's program is Main with these and its own.
//
// Only this package reads the environment, handles signals, or installs anything for the whole
// process. Results go to standard output. Progress, warnings and errors go to standard error.
//
// cli may import every other package.
package cli
