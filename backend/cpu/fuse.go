package cpu

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/koopbench/koopbench/backend/cpu/internal/kernel"
)

// fuse joins convolutions with bias, ReLU and max-pool, and the gradients of
// these with those of the convolution.
func (g *graph) fuse() {
	for _, op := range slices.Clone(g.operations) {
		if op.kind == opConv {
			g.fuseConv(op)
		}
	}
	g.sweep()
	for _, op := range slices.Clone(g.operations) {
		if op.kind == opConvKernelGradient {
			g.fuseBiasGradient(op)
		}
	}
	g.sweep()
}

// soleUser returns the only operation that uses v, if it is of that kind.
func (u uses) soleUser(v *value, kind compute.OpType) *operation {
	if list := u[v]; len(list) == 1 && list[0] != nil && list[0].kind == kind {
		return list[0]
	}
	return nil
}

// biasOf returns what an addition adds to y: one number a channel.
func biasOf(add *operation, y *value) *value {
	channels := y.shape.Dimensions[3]
	for i, in := range add.inputs {
		other := add.inputs[1-i]
		if in != y || other == y || !add.outputs[0].shape.Equal(y.shape) {
			continue
		}
		if other.op != nil && other.op.kind == compute.OpTypeBroadcastInDim && len(other.op.inputs[0].shape.Dimensions) > 0 {
			axes := broadcastAxes(other.op)
			from := other.op.inputs[0]
			if axes[len(axes)-1] == 3 && from.shape.Dimensions[len(axes)-1] == channels && from.shape.Size() == channels {
				return from
			}
			continue
		}
		d := other.shape.Dimensions
		if other.shape.Size() == channels && len(d) == 4 && d[3] == channels {
			return other
		}
	}
	return nil
}

func (g *graph) fuseConv(conv *operation) {
	u := g.usesOf()
	a := conv.attrs.(convolution)
	z := conv.outputs[0]
	if add := u.soleUser(z, compute.OpTypeAdd); add != nil {
		if bias := biasOf(add, z); bias != nil {
			conv.inputs = append(conv.inputs, bias)
			g.move(conv, add)
			z = g.redirect(add.outputs[0], conv)
			u = g.usesOf()
		}
	}
	// ReLU: r = max(z, 0), and the mask m = [z ≥ 0] of its gradient.
	var relu, mask *operation
	for _, user := range u[z] {
		switch {
		case user == nil:
			return
		case user.kind == compute.OpTypeMax && relu == nil && user.outputs[0].shape.Equal(z.shape) &&
			(isConstant(user.inputs[0], 0) || isConstant(user.inputs[1], 0)):
			relu = user
		case (user.kind == opPassesGradient || user.kind == opIsPositive) && mask == nil:
			mask = user
		default:
			return
		}
	}
	if relu == nil {
		return
	}
	r := relu.outputs[0]
	var pool *operation
	for _, user := range u[r] {
		if user != nil && user.kind == opMaxPool {
			pool = user
		}
	}
	pooled := pool != nil && u.only(r, pool) && len(pool.outputs) == 2
	if mask == nil {
		a.epilogue = kernel.ReLU
		conv.attrs = a
		if pooled && len(u[pool.outputs[1]]) == 0 {
			a.epilogue |= kernel.MaxPool2x2
			conv.attrs = a
			g.move(conv, pool)
			g.redirect(pool.outputs[0], conv)
			return
		}
		g.move(conv, relu)
		g.redirect(r, conv)
		return
	}
	times := u.soleUser(mask.outputs[0], compute.OpTypeMul)
	if times == nil {
		return
	}
	grad := times.inputs[0]
	if grad == mask.outputs[0] {
		grad = times.inputs[1]
	}
	if grad == mask.outputs[0] || !grad.shape.Equal(z.shape) {
		return
	}
	winner := &value{op: conv, index: 1}
	a.epilogue = kernel.ReLU
	if mask.kind == opPassesGradient {
		a.epilogue |= kernel.ZeroPasses
	}
	if pooled {
		unpool := grad.op
		if unpool == nil || unpool.kind != opMaxPoolGradient || unpool.inputs[1] != pool.outputs[1] ||
			!u.only(pool.outputs[1], unpool) || !u.only(grad, times) {
			return
		}
		a.epilogue |= kernel.MaxPool2x2
		conv.attrs = a
		winner.shape = pool.outputs[1].shape
		conv.outputs = append(conv.outputs, winner)
		g.move(conv, pool)
		g.redirect(pool.outputs[0], conv)
		// The gradient of pool and ReLU together: dead windows get nothing.
		g.sparse(times, opMaxPoolGradient, a.epilogue, unpool.inputs[0], winner)
		return
	}
	conv.attrs = a
	winner.shape = shapes.Make(dtypes.Uint8, z.shape.Dimensions...)
	conv.outputs = append(conv.outputs, winner)
	g.move(conv, relu)
	g.redirect(r, conv)
	g.sparse(times, opReLUGradient, a.epilogue, grad, winner)
}

// move puts op in place of later in the order, so that all its inputs
// come before it.
func (g *graph) move(op, later *operation) {
	i, j := slices.Index(g.operations, op), slices.Index(g.operations, later)
	if i < 0 || j < 0 {
		return
	}
	g.operations[j] = op
	g.operations = slices.Delete(g.operations, i, i+1)
}

// redirect makes the first output of op what from was.
func (g *graph) redirect(from *value, op *operation) *value {
	out := &value{op: op, shape: from.shape}
	op.outputs[0] = out
	g.replaced[from] = out
	g.rename()
	return out
}

// sparse makes op the gradient through an epilogue, given g and winner, and
// lets the convolution gradients that use it work from g and winner
// themselves.
func (g *graph) sparse(op *operation, kind compute.OpType, e kernel.Epilogue, grad, winner *value) {
	op.kind, op.attrs, op.inputs, op.emit = kind, noAttrs{}, []*value{grad, winner}, nil
	out := op.outputs[0]
	for _, user := range g.operations {
		switch user.kind {
		case opConvKernelGradient:
			if a := user.attrs.(convolution); a.epilogue == 0 && len(user.inputs) == 2 && user.inputs[1] == out {
				a.epilogue = e
				user.attrs = a
				user.inputs = []*value{user.inputs[0], grad, winner}
			}
		case opConvInputGradient:
			if a := user.attrs.(convolution); a.epilogue == 0 && len(user.inputs) == 2 && user.inputs[0] == out {
				a.epilogue = e
				user.attrs = a
				user.inputs = []*value{grad, user.inputs[1], winner}
			}
		}
	}
}

// fuseBiasGradient lets a kernel gradient also sum its gradient over images
// and pixels, where that is asked for.
func (g *graph) fuseBiasGradient(op *operation) {
	u := g.usesOf()
	find := func(v *value) *operation {
		for _, user := range u[v] {
			if user != nil && user.kind == compute.OpTypeReduceSum && slices.Equal(user.attrs.(axesAttrs).axes, []int{0, 1, 2}) {
				return user
			}
		}
		return nil
	}
	gradient := op.inputs[1]
	var sum *operation
	if len(op.inputs) == 3 {
		for _, user := range u[op.inputs[2]] {
			if user != nil && (user.kind == opMaxPoolGradient || user.kind == opReLUGradient) && user.inputs[0] == gradient {
				sum = find(user.outputs[0])
			}
		}
	} else {
		sum = find(gradient)
	}
	if sum == nil || len(op.outputs) != 1 {
		return
	}
	db := &value{op: op, index: 1, shape: sum.outputs[0].shape}
	op.outputs = append(op.outputs, db)
	g.replaced[sum.outputs[0]] = db
	g.rename()
	g.operations = reorder(g.operations, g.outputs)
}

// reorder returns operations with inputs before users.
func reorder(operations []*operation, outputs []*value) []*operation {
	return live(operations, outputs)
}

func broadcastAxes(op *operation) []int {
	return op.attrs.(broadcastInDimAttrs).axes
}
