// Package cli is the command line of a registry. `bench run` trains and judges; `list` and `info`
// show what is there. `report`, `serve`, `compare`, `merge` and `verify` work on results, `predict`
// on models, and `plugin` on programs of others. The program bench is [Main] with the built-in
// things. The program of a third party is Main with those and its own.
//
// Only this package reads the environment, handles signals, or installs anything for the whole process. Results go to
// standard output; progress, warnings and errors go to standard error.
//
// cli may import every other package.
package cli
