// Package liberation contains the two fonts of figures, Liberation Sans regular and bold. In
// programs for distribution it replaces gonum.org/v1/plot/font/liberation, whose ten other fonts
// make the program a tenth larger (see .ci/program).
package liberation

import (
	"fmt"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
)

// Collection returns the fonts. The first stands for the default font of gonum/plot too, which it
// looks up and figures do not use. It panics if a font cannot be read.
var Collection = sync.OnceValue(func() font.Collection {
	regular := face(xfont.WeightNormal, liberationsansregular.TTF)
	serif := regular
	serif.Font.Variant = "Serif"
	return font.Collection{regular, face(xfont.WeightBold, liberationsansbold.TTF), serif}
})

func face(weight xfont.Weight, ttf []byte) font.Face {
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		panic(fmt.Errorf("a font of the program cannot be read: %w", err))
	}
	return font.Face{Font: font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight}, Face: parsed}
}
