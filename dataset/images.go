package dataset

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/foreign"
	"github.com/koopbench/koopbench/internal/npz"
)

// ReadImages reads a file of images. The first bytes of the file determine its format, not its
// name:
//
//   - IDX, gzipped or not: values of any of its types, [n, height, width];
//   - NumPy's .npy: floats, whole numbers or booleans of any size and byte order, [n, height,
//     width], or [height, width] for one image;
//   - PNG: one image, which is converted to 8-bit grey if necessary.
//
// Whole numbers p from 0 to 255 stand for p/255, as in every sequence of images; other whole
// numbers are an error. Floats are not changed, true is 1 and false 0. A file uses at most
// [foreign.ArrayLimit] of memory. The error is [ErrFormat], [core.ErrNonFinite], or that of opening
// the file, which must be a regular one.
func ReadImages(path string) (_ core.Snapshots, err error) {
	file, err := foreign.Open(path)
	if err != nil {
		return core.Snapshots{}, printable(path, err)
	}
	defer file.Close()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", shownPath(path), err)
		}
	}()
	return readImages(file)
}

func readImages(file io.Reader) (core.Snapshots, error) {
	content := bufio.NewReader(file)
	switch start, _ := content.Peek(maxPeek); {
	case len(start) == 0:
		return core.Snapshots{}, fmt.Errorf("%w: it is empty; an IDX, a .npy or a PNG file is expected", ErrFormat)
	case bytes.HasPrefix(start, []byte("\x89PNG\r\n\x1a\n")):
		return readPNG(content)
	case bytes.HasPrefix(start, []byte("\x93NUMPY")):
		return readNPY(content)
	case bytes.HasPrefix(start, []byte("PK")):
		return core.Snapshots{}, fmt.Errorf(
			"%w: it is an archive, an .npz file for instance; save the array with the images as an .npy file", ErrFormat)
	case bytes.HasPrefix(start, []byte{0, 0}), bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return readIDXImages(content)
	default:
		return core.Snapshots{}, fmt.Errorf("%w: it is %s; an IDX, a .npy or a PNG file is expected", ErrFormat, what(start))
	}
}

func readIDXImages(content io.Reader) (core.Snapshots, error) {
	f, err := anyIDX(content, 3)
	if err != nil {
		return core.Snapshots{}, err
	}
	if f.kind != unsignedByte {
		a, err := npz.ReadValues(f.content, idxTypes[f.kind], f.shape)
		if err != nil {
			return core.Snapshots{}, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		return imagesOf(a.Values, f.shape[1:])
	}
	pixels, err := f.rest()
	if err != nil {
		return core.Snapshots{}, err
	}
	return core.NewPixelSnapshots(pixels, f.shape[1:]...)
}

// maxSide is the largest height and width of a PNG, which says before it is decoded how large it
// will be, and maxArea the largest number of its pixels.
const (
	maxSide = 1 << 13
	maxArea = 1 << 24
)

func readPNG(content *bufio.Reader) (core.Snapshots, error) {
	var head bytes.Buffer
	config, err := png.DecodeConfig(io.TeeReader(content, &head))
	if err == nil && (config.Width > maxSide || config.Height > maxSide || config.Width*config.Height > maxArea) {
		err = fmt.Errorf("%d×%d pixels; the most is %d×%d, and %d altogether", config.Height, config.Width, maxSide,
			maxSide, maxArea)
	}
	var picture image.Image
	if err == nil {
		picture, err = png.Decode(io.MultiReader(&head, content))
	}
	if err != nil {
		return core.Snapshots{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	bounds := picture.Bounds()
	pixels := make([]uint8, 0, bounds.Dx()*bounds.Dy())
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			pixels = append(pixels, color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y)
		}
	}
	return core.NewPixelSnapshots(pixels, bounds.Dy(), bounds.Dx())
}

func readNPY(content io.Reader) (core.Snapshots, error) {
	a, err := npz.ReadArray(content)
	if err != nil {
		return core.Snapshots{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	shape := a.Shape
	if len(shape) == 2 {
		shape = append([]int{1}, shape...)
	}
	if len(shape) < 3 {
		return core.Snapshots{}, fmt.Errorf("%w: an array of shape %v; images are [n, height, width], one is [height, width]",
			ErrFormat, a.Shape)
	}
	return imagesOf(a.Values, shape[1:])
}

// imagesOf are images of values as package npz reads them.
func imagesOf(values any, shape []int) (core.Snapshots, error) {
	switch values := values.(type) {
	case []uint8:
		return core.NewPixelSnapshots(values, shape...)
	case []float32:
		return finite(values, shape)
	case []float64:
		narrow := make([]float32, len(values))
		for i, v := range values {
			narrow[i] = float32(v)
		}
		return finite(narrow, shape)
	case []int64:
		pixels := make([]uint8, len(values))
		for i, v := range values {
			if v < 0 || v > math.MaxUint8 {
				return core.Snapshots{}, fmt.Errorf(
					"%w: value %d is %d; whole numbers are pixels from 0 to 255, and floats are taken as they are",
					ErrFormat, i, v)
			}
			pixels[i] = uint8(v)
		}
		return core.NewPixelSnapshots(pixels, shape...)
	case []bool:
		pixels := make([]uint8, len(values))
		for i, v := range values {
			if v {
				pixels[i] = math.MaxUint8
			}
		}
		return core.NewPixelSnapshots(pixels, shape...)
	}
	return core.Snapshots{}, fmt.Errorf("%w: its values are complex; images have floats, whole numbers or booleans",
		ErrFormat)
}

func finite(values []float32, shape []int) (core.Snapshots, error) {
	x, err := core.NewSnapshots(values, shape...)
	if err != nil {
		return x, err
	}
	return x, x.CheckFinite()
}

// Grey returns a snapshot of height × width values as a picture. Values below 0 are black, and
// values above 1 are white.
func Grey(values []float32, height, width int) *image.Gray {
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for i, v := range values {
		picture.Pix[i] = uint8(math.Round(float64(min(max(v, 0), 1)) * 255))
	}
	return picture
}
