package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stopBySignal returns a context that the first SIGINT, SIGTERM or SIGHUP ends; the second ends the
// process at once. Those that the process was started to ignore, as nohup does, stay ignored. The
// caller must call the function that it returns.
func stopBySignal(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	over := make(chan struct{})
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		for _, act := range []func(){cancel, func() { os.Exit(exitInterrupted) }} {
			select {
			case <-signals:
				act()
			case <-over:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(over)
		cancel()
	}
}

// outlivePipes keeps this process alive if the reader of its stdout or stderr has gone: writes fail
// then. It ends with the function that it returns. Programs that are started meanwhile are not
// concerned.
func outlivePipes() (end func()) {
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGPIPE)
	return func() { signal.Stop(ignored) }
}
