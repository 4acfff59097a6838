package check

import (
	"context"

	"github.com/koopbench/koopbench/core"
)

// suite is how things of one kind are checked. The functions take things of that kind.
type suite struct {
	open func(thing any, o *Options) *Session // nil stands for no thing
	// outputs adds the digests of what a thing gives.
	outputs func(ctx context.Context, d digests, thing any, o Options) error
	// large gives a thing arrays of more bytes than a message may have; nil if it never gets such.
	large func(ctx context.Context, thing any, o Options) error
}

// suiteOf returns the suite of a kind, an empty one for what is no kind.
func suiteOf(kind Kind) suite {
	return map[Kind]suite{
		core.KindMethod:   ofTrainees(NewMethod, methodTrainee, "predictions"),
		core.KindEmbedder: ofTrainees(NewEmbedder, embedderTrainee, "features"),
		core.KindOracle:   ofTrainees(NewOracle, oracleTrainee, "labels"),
		core.KindOperator: {
			open: opening(NewOperator),
			outputs: func(ctx context.Context, d digests, thing any, o Options) error {
				return d.ofOperator(ctx, newOperating(thing.(core.EvolutionOperator), o))
			},
			large: func(ctx context.Context, thing any, o Options) error {
				return newOperating(thing.(core.EvolutionOperator), o).checkLargeArrays(ctx)
			},
		},
		core.KindLoss: {
			open: opening(NewLoss),
			outputs: func(ctx context.Context, d digests, thing any, o Options) error {
				return d.ofLoss(ctx, newScoring(thing.(core.Loss), o))
			},
		},
		core.KindTask: {
			open: opening(NewTask),
			outputs: func(ctx context.Context, d digests, thing any, o Options) error {
				return d.ofTask(ctx, newPosed(thing.(core.Task), o))
			},
		},
	}[kind]
}

// ofTrainees is the suite of things that are fitted to snapshots. output names what the fitted
// things give.
func ofTrainees[T any](open func(T, *Options) *Session, of func(T, Options) *trainee, output string) suite {
	return suite{
		open: opening(open),
		outputs: func(ctx context.Context, d digests, thing any, o Options) error {
			return d.ofTrainee(ctx, of(thing.(T), o), output)
		},
		large: func(ctx context.Context, thing any, o Options) error { return of(thing.(T), o).checkLargeArrays(ctx) },
	}
}

func opening[T any](open func(T, *Options) *Session) func(any, *Options) *Session {
	return func(thing any, o *Options) *Session {
		typed, _ := thing.(T)
		return open(typed, o)
	}
}

// New returns a session that runs the checks of a thing of any kind one by one. Nil options are the
// defaults. The setup fails for a thing that has no kind.
func New(thing any, o *Options) *Session {
	if open := suiteOf(core.KindOf(thing)).open; open != nil {
		return open(thing, o)
	}
	return bareSession("", thing, o, func() string { return "" }, func(Options) error {
		return wrong("hand in a "+core.AnyKind(), "a %T is no %s", thing, core.AnyKind())
	})
}
