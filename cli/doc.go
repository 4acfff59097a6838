// Package cli is the command line: it takes a registry of methods and makes `bench run`, `list`, `info`, `report`,
// `version` and `completion` of it. Command bench is [Main] over the built-in methods; a third party's binary is Main over
// the built-ins and its own.
//
// Only this package reads the environment, handles signals, or installs anything for the whole process. Results go to
// standard output; progress, warnings and errors go to standard error.
//
// cli may import every other package.
package cli
