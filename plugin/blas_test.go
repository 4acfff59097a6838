//go:build unix

package plugin_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
	"gonum.org/v1/gonum/mat"

	"github.com/koopbench/koopbench/backend/cpu/blas"
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin"
)

const (
	productsArgument = "products"     // makes the test binary a plugin that serves products
	ownArgument      = "own-products" // and one that has chosen its own algebra before
)

// products is a loss whose derivatives are nothing but products of matrices.
type products struct{}

var _ core.Loss = products{}

func (products) Describe() core.Description {
	return core.Description{Name: "products", Summary: "products of matrices", Doc: "For tests."}
}

func (products) Evaluate(ctx context.Context, x, y mat.Matrix, _ core.Options) (core.LossValue, error) {
	var square mat.Dense
	square.Mul(x.T(), y)
	v := core.LossValue{Value: mat.Sum(&square), GradX: &mat.Dense{}, GradY: &mat.Dense{}}
	v.GradX.Mul(y, square.T())
	v.GradY.Mul(x, &square)
	return v, ctx.Err()
}

// ownBLAS is a BLAS that the author of a plugin has chosen.
type ownBLAS struct{ gonum.Implementation }

// serveProducts serves products if the program is started so.
func serveProducts() {
	for _, argument := range os.Args[1:] {
		switch argument {
		case ownArgument:
			blas64.Use(ownBLAS{})
			plugin.Serve(products{})
		case productsArgument:
			plugin.Serve(products{})
		}
	}
}

// TestProductsAreTheHosts: a thing that multiplies matrices gives the same bits in this process and
// as a plugin, whatever this process multiplies with; a plugin that has chosen its algebra keeps
// it.
func TestProductsAreTheHosts(t *testing.T) {
	defer blas64.Use(gonum.Implementation{})
	x, y := mat.NewDense(65, 33, nil), mat.NewDense(65, 33, nil)
	for i := range 65 {
		for j := range 33 {
			x.Set(i, j, 1/float64(3+i+j*j))
			y.Set(i, j, 1/float64(7+i*j)-0.1)
		}
	}
	evaluate := func(loss core.Loss) core.LossValue {
		v, err := loss.Evaluate(t.Context(), x, y, core.Options{})
		require.NoError(t, err)
		return v
	}
	remote := func(argument string) core.LossValue {
		p, err := plugin.Open(t.Context(), executable(t), &plugin.Options{Args: []string{argument}})
		require.NoError(t, err)
		defer func() { assert.NoError(t, p.Close()) }()
		return evaluate(p.Things[0].(core.Loss))
	}
	native := evaluate(products{})
	different := 0
	for _, set := range []string{blas.Gonum, "avx2", "avx512"} {
		if blas.Use(set) != nil {
			continue // this processor lacks it
		}
		want := evaluate(products{})
		if !mat.Equal(want.GradX, native.GradX) {
			different++
		}
		got := remote(productsArgument)
		assert.Equal(t, want.Value, got.Value, set)
		assert.True(t, mat.Equal(want.GradX, got.GradX), set)
		assert.True(t, mat.Equal(want.GradY, got.GradY), set)
		assert.True(t, mat.Equal(native.GradX, remote(ownArgument).GradX), set)
	}
	if blas.Use("") == nil && blas.InUse() != blas.Gonum {
		assert.Positive(t, different, "kernels whose bits are those of gonum show nothing")
	}

	t.Setenv(plugin.BLASVariable, "avx2")
	blas64.Use(ownBLAS{})
	p, err := plugin.Open(t.Context(), executable(t), &plugin.Options{Args: []string{productsArgument}})
	require.NoError(t, err, "a host with another BLAS says nothing of it")
	require.NoError(t, p.Close())
}
