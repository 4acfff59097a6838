// Command task is a plugin of koopbench with one task: a noisy rotation in the plane.
package main

import "github.com/koopbench/koopbench/plugin"

func main() { plugin.Serve(rotation{}) }
