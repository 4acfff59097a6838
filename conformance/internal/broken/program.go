package broken

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/koopbench/koopbench/conformance/check"
	"github.com/koopbench/koopbench/core"
)

// program is a plugin without a process. Its zero value, given things, keeps all rules.
type program struct {
	things   []any
	file     error
	start    func() error
	describe func(call int) string
	wrong    error                         // with the descriptions
	end      func(how check.Ending) string // what it leaves; "" for nothing, deaf for an end that never comes
	byHand   func() (said string, status int)
	taken    error // of its names

	calls atomic.Int64 // of describe
}

// deaf is the end of a process that takes no notice.
const deaf = "deaf"

var (
	_ check.Program = (*program)(nil)
	_ check.Process = (*process)(nil)
)

// CorrectProgram returns a plugin that serves a correct thing of every kind and keeps all rules.
func CorrectProgram() check.Program {
	p := &program{}
	for _, thing := range Correct() {
		p.things = append(p.things, thing)
	}
	return p
}

func (*program) Name() string { return "reference-plugin" }

func (p *program) File() error { return p.file }

func (p *program) Free([]any) error { return p.taken }

func (p *program) Start(ctx context.Context) (check.Process, error) {
	if p.start != nil {
		if err := p.start(); err != nil {
			return nil, err
		}
	}
	return &process{p}, ctx.Err()
}

func (p *program) ByHand(ctx context.Context) (string, int, error) {
	if p.byHand == nil {
		return "reference-plugin is a plugin\n", 1, ctx.Err()
	}
	said, status := p.byHand()
	if said == deaf {
		return "", 0, context.DeadlineExceeded
	}
	return said, status, ctx.Err()
}

type process struct{ program *program }

func (p *process) Describe(ctx context.Context) (string, error) {
	if p.program.describe == nil {
		return "one\ntwo", ctx.Err()
	}
	return p.program.describe(int(p.program.calls.Add(1))), ctx.Err()
}

func (p *process) Things() ([]any, error) { return p.program.things, p.program.wrong }

func (p *process) End(ctx context.Context, how check.Ending) ([]string, error) {
	left := ""
	if p.program.end != nil {
		left = p.program.end(how)
	}
	switch left {
	case "":
		return nil, ctx.Err()
	case deaf:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []string{left}, ctx.Err()
}

func (*process) Close() error { return nil }

// narrow is a method whose predictions are good for few snapshots only.
type narrow struct {
	core.Method
	predict func(m core.Model, ctx context.Context, x core.Snapshots) (core.Snapshots, error)
}

func (n narrow) Fit(ctx context.Context, t *core.Training) (core.Model, error) {
	m, err := n.Method.Fit(ctx, t)
	if err != nil {
		return nil, err
	}
	return core.ModelFunc(func(ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
		const many = 10_000
		if x.Len() > many {
			return n.predict(m, ctx, x)
		}
		return m.Predict(ctx, x)
	}), nil
}

// narrowOperator is an operator that takes no large observable.
type narrowOperator struct{ core.EvolutionOperator }

func (n narrowOperator) Fit(ctx context.Context, t *core.OperatorTraining) (core.Operator, error) {
	if _, columns := t.Observable.Dims(); columns > 1000 {
		return nil, errors.New("message larger than max")
	}
	return n.EvolutionOperator.Fit(ctx, t)
}

func programCases() []Case {
	loss := []any{Correct()["loss"]} // which is quickly checked
	method := func(predict func(m core.Model, ctx context.Context, x core.Snapshots) (core.Snapshots, error)) []any {
		return []any{narrow{Correct()["method"].(core.Method), predict}}
	}
	list := []struct {
		check, how string
		program    *program
	}{
		{"file", "others can write it", &program{file: errors.New("others can write it")}},
		{"start", "writes before its handshake", &program{start: func() error {
			return errors.New(`it wrote "hello" where its handshake belongs`)
		}}},
		{"descriptions", "serves nothing", &program{}},
		{"descriptions", "a bad name", &program{wrong: errors.New("the name is bad")}},
		{"same-descriptions", "changes from call to call", &program{things: loss, describe: func(call int) string {
			return fmt.Sprint("one\n", call)
		}}},
		{"same-descriptions", "says more at the last call", &program{things: loss, describe: func(call int) string {
			if call == 3 {
				return "one\ntwo\nthree"
			}
			return "one\ntwo"
		}}},
		{"large-arrays", "takes one message",
			&program{things: method(func(core.Model, context.Context, core.Snapshots) (core.Snapshots, error) {
				return core.Snapshots{}, errors.New("message larger than max")
			})}},
		{"large-arrays", "returns the first chunk",
			&program{things: method(func(m core.Model, ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
				return m.Predict(ctx, x.Slice(0, 1000))
			})}},
		{"large-arrays", "mixes the chunks up",
			&program{things: method(func(m core.Model, ctx context.Context, x core.Snapshots) (core.Snapshots, error) {
				order := make([]int, x.Len())
				for i := range order {
					order[i] = (i + 1) % x.Len()
				}
				values := make([]float32, x.Len()*x.Size())
				x.Gather(values, order)
				mixed, err := core.NewSnapshots(values, x.Shape()...)
				if err != nil {
					return x, err
				}
				return m.Predict(ctx, mixed)
			})}},
		{"large-arrays", "an operator that takes one message",
			&program{things: []any{narrowOperator{Correct()["operator"].(core.EvolutionOperator)}}}},
		{"ends-when-asked", "takes no notice", &program{things: loss, end: func(how check.Ending) string {
			if how == check.Asked {
				return deaf
			}
			return ""
		}}},
		{"ends-with-host", "takes no notice", &program{things: loss, end: func(how check.Ending) string {
			if how == check.Abandoned {
				return deaf
			}
			return ""
		}}},
		{"free-names", "takes a name", &program{things: loss, taken: errors.New("the loss \"vamp\" is built in")}},
		{"leaves-nothing", "leaves a child", &program{things: loss, end: func(check.Ending) string {
			return "sleep (4711)"
		}}},
		{"by-hand", "waits for ever", &program{things: loss, byHand: func() (string, int) { return deaf, 1 }}},
		{"by-hand", "says nothing", &program{things: loss, byHand: func() (string, int) { return "\n", 1 }}},
		{"by-hand", "ends as if all were well", &program{things: loss, byHand: func() (string, int) { return "hello", 0 }}},
	}
	cases := []Case{{Kind: "plugin", Check: "setup", How: "nil"}}
	for _, c := range list {
		cases = append(cases, Case{Kind: "plugin", Check: c.check, How: c.how, Thing: c.program})
	}
	return cases
}
