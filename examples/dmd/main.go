// Command dmd is a plugin of koopbench with one method: dynamic mode decomposition of the pixels.
package main

import "github.com/koopbench/koopbench/plugin"

func main() { plugin.Serve(dmd{}) }
