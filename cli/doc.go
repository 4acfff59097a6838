// Package cli is the command line: it takes a registry and makes the command of it, `bench run` to
// train and judge, `list` and `info` to look, `report`, `serve`, `compare`, `merge` and `verify`
// for results, `predict` for models, `plugin` for programs of others. Command bench is [Main] over
// what is built in; a third party's binary is Main over that and its own.
//
// Only this package reads the environment, handles signals, or installs anything for the whole process. Results go to
// standard output; progress, warnings and errors go to standard error.
//
// cli may import every other package.
package cli
