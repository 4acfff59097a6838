package compose

import (
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/nn"
)

// LossMethod returns the method "loss:NAME": the encoder of [LossEmbedder], and the operator on its
// features with the snapshots as observable. If the rank of the operator is too low, the fit counts
// as untrained (FullRank of [Options]).
func LossMethod(runtime *nn.Runtime, loss core.Loss, operator core.EvolutionOperator, o *LossOptions) core.Method {
	return New(LossEmbedder(runtime, loss, o), operator, &Options{FullRank: true, Features: lossFeatures})
}

// EmbedderMethod returns the method "embedder:NAME": the embedder, and the operator on its
// features. The features count as float32 numbers.
func EmbedderMethod(embedder core.Embedder, operator core.EvolutionOperator) core.Method {
	return New(embedder, operator, &Options{Name: "embedder:" + embedder.Describe().Name})
}

// OperatorMethod returns the method "operator:NAME": the operator on the features of the reference
// embedder. Give one shared embedder ([Share]) to all such methods.
func OperatorMethod(operator core.EvolutionOperator, reference core.Embedder) core.Method {
	d := operator.Describe()
	return New(reference, operator, &Options{Name: "operator:" + d.Name, Summary: d.Summary, Doc: d.Doc})
}
