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

// Encoder is a network from snapshots to features. [CNN] and [MLP] are encoders, and [Reference]
// chooses between them. Another encoder can replace it in the built-in methods and in
// compose.LossEmbedder. Its exported fields configure it, and models store them as JSON. A saved
// encoder is loaded from these fields alone, so they must determine everything that Encode needs,
// except the shape and the number of features.
//
// An Encoder is an immutable value: several goroutines use it at the same time.
type Encoder interface {
	// CheckShape returns [core.ErrShape], with a remedy, unless the network takes snapshots of that
	// shape. It returns [core.ErrOption] if no network can be made of its fields.
	CheckShape(shape []int) error
	// Encode builds the network: a batch of snapshots x, float32 [n, shape…], becomes [n, features]. A
	// row of the result must depend on its own snapshot alone. Parameters are in the scope, with the
	// same names at every call. Parameters that do not exist yet are drawn, as [Uniform] does. Like
	// every function that builds a graph, it panics when misused.
	Encode(scope *model.Scope, x *graph.Node, features int) *graph.Node
}

// Autoencoder is an [Encoder] that also has a decoder.
type Autoencoder interface {
	Encoder
	// Decode builds the decoder: features z, [n, d], become a batch of snapshots, [n, shape…]. It is
	// called for shapes that CheckShape accepts. The rules for rows and parameters are those of
	// Encode; the scope is another one.
	Decode(scope *model.Scope, z *graph.Node, shape ...int) *graph.Node
}

var (
	_ Autoencoder = CNN{}
	_ Autoencoder = MLP{}
)

// Configurable is an [Encoder] with options that the user sets. The built-in methods, their oracle
// and compose.LossEmbedder declare them together with their own. If "autoencoder" or the oracle
// already has an option with the same name, its description is not valid.
type Configurable interface {
	Encoder
	// Options declares the options.
	Options() []core.Option
	// With returns the encoder with the values of these options.
	With(options core.Options) Encoder
}

// Chooser is an [Encoder] that stands for others. The one for the shape of the snapshots is trained
// and saved.
type Chooser interface {
	Encoder
	// For returns the network for snapshots of that shape. The error is that of CheckShape.
	For(shape []int) (Autoencoder, error)
}

// Choose returns the network that is trained on snapshots of that shape. It is e, with the values
// of the options if it is [Configurable], or the network that this chooses if it is a [Chooser].
// The error is that of CheckShape, and [core.ErrContract] if the network is not an E.
func Choose[E Encoder](e E, shape []int, options core.Options) (E, error) {
	var none E
	network := Encoder(e)
	if c, ok := network.(Configurable); ok {
		network = c.With(options)
	}
	if c, ok := network.(Chooser); ok {
		var err error
		if network, err = c.For(shape); err != nil {
			return none, err
		}
	}
	if err := network.CheckShape(shape); err != nil {
		return none, err
	}
	return as[E](network)
}

// EncoderOptions returns the options of an encoder that is [Configurable], and none otherwise.
func EncoderOptions(e Encoder) []core.Option {
	if c, ok := e.(Configurable); ok {
		return c.Options()
	}
	return nil
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

// SavedEncoder returns the encoder that a network was saved with. It has the stored fields, and the
// type of like, or of what like chooses for the network's shape if it is a [Chooser]. If no encoder
// was stored, as in older models, it returns that encoder itself. The error is that of CheckShape,
// and [core.ErrShape] if the stored encoder has another type or other fields.
func SavedEncoder[E Encoder](n *Network, like E) (E, error) {
	var none E
	network := Encoder(like)
	if c, ok := network.(Chooser); ok && (n.encoder == nil || n.encoder.Type != typeName(like)) {
		var err error
		if network, err = c.For(n.Shape); err != nil {
			return none, err
		}
	}
	if n.encoder == nil {
		return as[E](network)
	}
	if name := typeName(network); n.encoder.Type != name {
		return none, fmt.Errorf("%w: the model has the encoder %.80q; this method has a %s",
			core.ErrShape, n.encoder.Type, name)
	}
	kind := reflect.TypeOf(network)
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
	return as[E](loaded.Interface().(Encoder))
}

// as is the network as an E, which the error says that it is not.
func as[E Encoder](network Encoder) (E, error) {
	e, ok := network.(E)
	if !ok {
		return e, fmt.Errorf("%w: the encoder %s was chosen, but a %s is needed", core.ErrContract, typeName(network),
			reflect.TypeFor[E]())
	}
	return e, nil
}
