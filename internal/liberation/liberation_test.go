package liberation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	whole "gonum.org/v1/plot/font/liberation"

	"github.com/koopbench/koopbench/internal/liberation"
)

// TestCollection: the fonts are those of gonum/plot.
func TestCollection(t *testing.T) {
	all := font.NewCache(whole.Collection())
	for _, face := range liberation.Collection()[:2] {
		want := all.Lookup(face.Font, 10)
		assert.Equal(t, want.Font.Name(), face.Font.Name())
		assert.Equal(t, want.Face.NumGlyphs(), face.Face.NumGlyphs())
	}
}

// TestDefault: gonum/plot looks its default font up, although no figure is lettered with it.
func TestDefault(t *testing.T) {
	assert.NotNil(t, font.NewCache(liberation.Collection()).Lookup(plot.DefaultFont, 10).Face)
}
