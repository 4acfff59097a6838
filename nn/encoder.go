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

// Encoder is a network from snapshots to features. [CNN] and [MLP] are, and [Reference] chooses
// between them; another takes its place in the built-in methods and in compose.LossEmbedder. What
// configures it is its exported fields, which models keep as JSON: one that is saved is loaded
// without being told them, so the fields say all that Encode needs but for the shape and the number
// of features.
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

var (
	_ Autoencoder = CNN{}
	_ Autoencoder = MLP{}
)

// Configurable is an [Encoder] with options that the user sets. The built-in methods, their oracle
// and compose.LossEmbedder declare them among their own. Where "autoencoder" and the oracle have an
// option of the same name already, their description is not valid.
type Configurable interface {
	Encoder
	// Options declares the options.
	Options() []core.Option
	// With returns the encoder with values of these options.
	With(options core.Options) Encoder
}

// Chooser is an [Encoder] that stands for others: trained and saved is the one for the shape of the
// snapshots.
type Chooser interface {
	Encoder
	// For returns the network for snapshots of that shape. The error is that of CheckShape.
	For(shape []int) (Autoencoder, error)
}

// Choose returns the network that is trained on snapshots of that shape: e, with values of its
// options if it is [Configurable], and what it chooses if it is a [Chooser]. The error is that of
// CheckShape, and [core.ErrContract] if the network is no E.
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

// EncoderOptions are the options of an encoder that is [Configurable], and none of another.
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

// SavedEncoder returns the encoder that a network was saved with: of the type of like, or of what
// like chooses for the network's shape if it is a [Chooser], with the fields that were kept. It is
// that itself if none was kept, as before encoders were. The error is [core.ErrShape] if it was one
// of another type, or the fields are not those of the type, and that of CheckShape.
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
