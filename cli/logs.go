package cli

import (
	"flag"
	"io"
	"log/slog"

	"k8s.io/klog/v2"
)

// divertLogs sends what GoMLX logs to w, with its details, instead of the process's stderr.
func divertLogs(w io.Writer) {
	if w == io.Discard {
		klog.SetSlogLogger(slog.New(slog.DiscardHandler))
		return
	}
	klog.SetSlogLogger(slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})))
	// klog's level can only be set by a flag; this set is its own and no flag of the command line.
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	if err := flags.Set("v", "1"); err != nil {
		say(w, "the logs of libraries are not written: %v\n", err)
	}
}
