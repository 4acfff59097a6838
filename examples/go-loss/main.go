// Command go-loss is a plugin of koopbench with one loss: Barlow Twins' redundancy reduction, on lagged views.
package main

import "github.com/koopbench/koopbench/plugin"

func main() { plugin.Serve(barlow{}) }
