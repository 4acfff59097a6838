// Package licences contains the notice of the program bench, and the licences of everything in it.
package licences

import _ "embed"

//go:generate sh -c "cd ../.. && go run ./internal/licences/gen"

// Text is the file NOTICE, followed by the licence texts of all modules that the program contains on
// any of the released platforms, each text once, under the names and versions of its modules.
//
//go:embed licences.txt
var Text string
