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
	"os"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/internal/npz"
)

// ReadImages reads a file of images by what it begins with, whatever its name:
//
//   - IDX, gzipped or not: unsigned bytes, [n, height, width];
//   - NumPy's .npy: float32, float64 or uint8, [n, height, width], or [height, width] for one image;
//   - PNG: one image; one that is not 8-bit grey becomes so.
//
// Bytes p stand for p/255, as in every sequence of images; floats are taken as they are. The error is [ErrFormat], or
// [core.ErrNonFinite].
func ReadImages(path string) (_ core.Snapshots, err error) {
	file, err := os.Open(path)
	if err != nil {
		return core.Snapshots{}, err
	}
	defer file.Close()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	return readImages(file)
}

func readImages(file io.Reader) (core.Snapshots, error) {
	content := bufio.NewReader(file)
	switch start, _ := content.Peek(8); {
	case bytes.HasPrefix(start, []byte("\x89PNG\r\n\x1a\n")):
		return readPNG(content)
	case bytes.HasPrefix(start, []byte("\x93NUMPY")):
		return readNPY(content)
	case bytes.HasPrefix(start, []byte("PK")):
		return core.Snapshots{}, fmt.Errorf("%w: it is an archive, an .npz file for instance; save the array with the images as an .npy file", ErrFormat)
	case bytes.HasPrefix(start, []byte{0, 0}), bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return readIDXImages(content)
	}
	return core.Snapshots{}, fmt.Errorf("%w: it is neither an IDX, a .npy nor a PNG file", ErrFormat)
}

func readIDXImages(content io.Reader) (core.Snapshots, error) {
	f, err := newIDX(content, 3)
	if err != nil {
		return core.Snapshots{}, err
	}
	pixels, err := f.rest()
	if err != nil {
		return core.Snapshots{}, err
	}
	return core.NewPixelSnapshots(pixels, f.shape[1:]...)
}

// maxSide is the largest height and width of a PNG, which says before it is decoded how large it will be.
const maxSide = 1 << 13

func readPNG(content *bufio.Reader) (core.Snapshots, error) {
	var head bytes.Buffer
	config, err := png.DecodeConfig(io.TeeReader(content, &head))
	if err == nil && (config.Width > maxSide || config.Height > maxSide) {
		err = fmt.Errorf("%d×%d pixels; the most is %d×%d", config.Height, config.Width, maxSide, maxSide)
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
		return core.Snapshots{}, fmt.Errorf("%w: an array of shape %v; images are [n, height, width], one is [height, width]", ErrFormat, a.Shape)
	}
	switch values := a.Values.(type) {
	case []uint8:
		return core.NewPixelSnapshots(values, shape[1:]...)
	case []float32:
		return finite(values, shape[1:])
	case []float64:
		narrow := make([]float32, len(values))
		for i, v := range values {
			narrow[i] = float32(v)
		}
		return finite(narrow, shape[1:])
	}
	return core.Snapshots{}, fmt.Errorf("%w: its values are a %T; float32, float64 and uint8 are read", ErrFormat, a.Values)
}

func finite(values []float32, shape []int) (core.Snapshots, error) {
	x, err := core.NewSnapshots(values, shape...)
	if err != nil {
		return x, err
	}
	return x, x.CheckFinite()
}

// Grey returns a snapshot of height × width values as a picture, values below 0 black and above 1 white.
func Grey(values []float32, height, width int) *image.Gray {
	picture := image.NewGray(image.Rect(0, 0, width, height))
	for i, v := range values {
		picture.Pix[i] = uint8(math.Round(float64(min(max(v, 0), 1)) * 255))
	}
	return picture
}
