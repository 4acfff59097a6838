package cli

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/koopbench/koopbench/backend/cpu"
	"github.com/koopbench/koopbench/nn"
)

// startProfile starts to measure what the operations of a backend cost, if wanted, and returns what shows it.
func startProfile(wanted bool, rt *nn.Runtime) (show func(w io.Writer) error, err error) {
	if !wanted {
		return func(io.Writer) error { return nil }, nil
	}
	backend, err := rt.Backend()
	if err != nil {
		return nil, err
	}
	own, ok := backend.(*cpu.Backend)
	if !ok {
		return nil, usagef("--profile: the backend %s cannot measure operations; choose --backend "+
			"%s", rt.Config(), cpuBackend)
	}
	own.EnableProfile(true)
	return func(w io.Writer) error {
		defer own.EnableProfile(false)
		return writeProfile(w, own.Profile())
	}, nil
}

// writeProfile writes a line an operation.
func writeProfile(w io.Writer, entries []cpu.ProfileEntry) error {
	if len(entries) == 0 {
		_, err := fmt.Fprintln(w, "profile: this command computed nothing, because finished runs are not made again; give "+
			"a new folder "+
			"with --out")
		return err
	}
	var total time.Duration
	for _, e := range entries {
		total += e.Time
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "seconds\tshare\tcalls\tµs per call\tGFLOP/s\twhere\t  operation\n")
	for _, e := range entries {
		rate := ""
		if e.Flops > 0 && e.Time > 0 {
			rate = fmt.Sprintf("%.1f", float64(e.Flops)*float64(e.Calls)/e.Time.Seconds()/1e9)
		}
		fmt.Fprintf(t, "%.3f\t%.1f%%\t%d\t%.1f\t%s\t%s\t  %s\n", e.Time.Seconds(), 100*e.Time.Seconds()/total.Seconds(),
			e.Calls,
			e.Time.Seconds()/float64(e.Calls)*1e6, rate, e.Where, e.Operation)
	}
	fmt.Fprintf(t, "%.3f\t100%%\t\t\t\t\t  all\n", total.Seconds())
	return t.Flush()
}
