package nn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/koopbench/koopbench/core"
)

// Encoder is a network from snapshots to features. [CNN] is one; another takes its place in the
// built-in methods and in compose.LossEmbedder. What configures it is its exported fields, which
// models keep as JSON: one that is saved is loaded without being told them, so the fields say all
// that Encode needs but for the shape and the number of features.
//
// An Encoder is a value that does not change: several goroutines use it at a time.
type Encoder interface {
	// CheckShape returns [core.ErrShape], with a remedy, unless the network takes snapshots of that
	// shape, and [core.ErrOption] if its fields make no network.
	CheckShape(shape []int) error
	// Encode builds the network: a batch of snapshots x, float32 [n, shape…], becomes [n,
	// features]. A row of the result must depend on its own snapshot alone. Parameters are in the
	// scope, under names that are the same at every call; where they do not exist yet they are
	// drawn, as [Uniform] does. Like every function that builds a graph, it panics when misused.
	Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node
}

// Autoencoder is an [Encoder] with the network in the other direction.
type Autoencoder interface {
	Encoder
	// Decode builds the decoder: features z, [n, d], become a batch of snapshots, [n, shape…]. It
	// is called for shapes that CheckShape takes. Rows and parameters are as in Encode; the scope
	// is another.
	Decode(scope *model.Scope, z *graph.Node, shape ...int) *graph.Node
}

var _ Autoencoder = CNN{}

// Configurable is an [Encoder] with options that the user sets. compose.LossEmbedder, and so "vamp"
// and "contrastive", declare them among their own; what else has an encoder does not.
type Configurable interface {
	Encoder
	// Options declares the options.
	Options() []core.Option
	// With returns the encoder with values of these options.
	With(options core.Options) Encoder
}

// encoderFacts are the type and the fields of an encoder in an embedding's state.
type encoderFacts struct {
	Type   string          `json:"type"` // as Go names it: "nn.CNN"
	Fields json.RawMessage `json:"fields"`
}

func typeName(e Encoder) string { return strings.TrimPrefix(fmt.Sprintf("%T", e), "*") }

func keepEncoder(e Encoder) (*encoderFacts, error) {
	if e == nil {
		return nil, nil
	}
	fields, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("%w: the encoder %s cannot be kept as JSON: %w", core.ErrUnavailable, typeName(e), err)
	}
	return &encoderFacts{typeName(e), fields}, nil
}

// SavedEncoder returns the encoder that a network was saved with: of the type of like, with the
// fields that were kept. It is like itself if none was kept, as before encoders were. The error is
// [core.ErrShape] if it was one of another type, or the fields are not those of the type.
func SavedEncoder[E Encoder](n *Network, like E) (E, error) {
	if n.encoder == nil {
		return like, nil
	}
	var none E
	if name := typeName(like); n.encoder.Type != name {
		return none, fmt.Errorf("%w: the model has the encoder %.80q; this method has a %s",
			core.ErrShape, n.encoder.Type, name)
	}
	kind := reflect.TypeOf(like)
	pointer := kind.Kind() == reflect.Pointer
	if pointer {
		kind = kind.Elem()
	}
	loaded := reflect.New(kind)
	fields := json.NewDecoder(bytes.NewReader(n.encoder.Fields))
	fields.DisallowUnknownFields()
	if err := fields.Decode(loaded.Interface()); err != nil {
		return none, fmt.Errorf("%w: the fields of the encoder %s: %w", core.ErrShape, n.encoder.Type, err)
	}
	if !pointer {
		loaded = loaded.Elem()
	}
	return loaded.Interface().(E), nil
}
